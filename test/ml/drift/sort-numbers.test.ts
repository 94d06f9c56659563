import { expect, test } from 'vitest';
import { sortNumbers } from '../../../ml/drift/sort-numbers.ts';
import { createRandom, normal } from '../../../ml/random.ts';

const random = createRandom(3);
const KINDS: Record<string, () => number> = {
  normal: () => normal(random),
  'heavy tails': () => normal(random) / normal(random),
  'powers from the least to the greatest number': () => 2 ** Math.floor(2000 * random() - 1000),
  'one far away': () => (random() < 1e-3 ? 1e300 : random()),
  'a few numbers': () => Math.floor(3 * random()),
  'one number': () => 4,
  'both zeros': () => (random() < 0.5 ? -0 : 0),
  'a range that overflows': () => (random() < 0.5 ? -1 : random()) * Number.MAX_VALUE,
  'the least numbers': () => Number.MIN_VALUE * Math.floor(5000 * random()),
};

test.each(Object.entries(KINDS))('%s: in the order of the native sort', (_, draw) => {
  for (const size of [0, 1, 2, 512, 513, 5000, 40_000]) {
    const values = Float64Array.from({ length: size }, draw);
    // + 0: the zeros are equal to us.
    expect(sortNumbers(values.slice()).map((value) => value + 0)).toEqual(values.toSorted().map((value) => value + 0));
  }
});
