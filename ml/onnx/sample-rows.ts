import type { InputColumn } from '../features.ts';
import { createRandom } from '../random.ts';
import type { RawRow } from '../signature.ts';

const ROWS = 24;
const SEED = 20;
const NUMBERS = [1, 0, -1, 0.5, 42, 1000, -1e6, 1e-6];
const INTEGERS = [1, 0, -1, 2, 42, 2 ** 31];
const TEXTS = ['a', 'b', 'A longer text, with spaces', 'é', '0'];

/** Made-up rows that fit the columns: the first plain, the second with every nullable column missing. */
export function sampleRows(columns: readonly InputColumn[]): RawRow[] {
  const random = createRandom(SEED);
  const pick = <T>(values: readonly T[]) => values[Math.floor(random() * values.length)]!;
  return Array.from({ length: ROWS }, (_, row) =>
    Object.fromEntries(
      columns.map(({ name, type, nullable }) => {
        if (nullable && (row === 1 || (row > 1 && random() < 0.2))) return [name, null];
        return [name, row === 0 ? valuesOf(type)[0]! : pick(valuesOf(type))];
      }),
    ),
  );
}

function valuesOf(type: InputColumn['type']): readonly (number | string | boolean)[] {
  switch (type) {
    case 'numeric':
      return NUMBERS;
    case 'boolean':
      return [true, false];
    case 'categorical_string':
      return TEXTS;
    case 'categorical_integer':
      return INTEGERS;
  }
}
