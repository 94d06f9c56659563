import { expect, test } from 'vitest';
import { MISSING_INTEGER } from '../../../lib/model-feeds.ts';
import type { InputColumn } from '../../../ml/features.ts';
import { createRandom } from '../../../ml/random.ts';
import type { ErrorDetail } from '../../../lib/errors.ts';
import { compileRowValidator, MAX_FLOAT32 } from '../../../serving/row-validator.ts';
import { createRowBuffers, layoutOf } from '../../../serving/scoring/row-buffers.ts';
import { compileRowWriter, writeCheckedRow } from '../../../serving/scoring/row-writer.ts';

const column = (name: string, type: InputColumn['type'], nullable = false): InputColumn => ({ name, type, nullable });
const INPUTS = [
  column('age', 'numeric'),
  column('spend', 'numeric', true),
  column('active', 'boolean', true),
  column('plan', 'categorical_string', true),
  column('region', 'categorical_integer', true),
];
const written = (row: unknown, inputs: readonly InputColumn[] = INPUTS) => {
  const buffers = createRowBuffers(layoutOf(inputs), 2);
  return { accepted: compileRowWriter({ inputs })(row, buffers, 1), buffers };
};

test('values go to their place in the packed row, and what is absent becomes the mark for missing', () => {
  const { accepted, buffers } = written({ region: -7, plan: 'plus', active: true, spend: 1.5, age: 30 });
  expect(accepted).toBe(true);
  expect([...buffers.numbers.slice(3)]).toEqual([30, 1.5, 1]);
  expect([buffers.texts[1], buffers.integers[1]]).toEqual(['plus', -7n]);
  const missing = written({ age: 30, spend: null }).buffers;
  expect([...missing.numbers.slice(3)]).toEqual([30, NaN, NaN]);
  expect([missing.texts[1], missing.integers[1]]).toEqual(['', MISSING_INTEGER]);
});

test('numbers at the edges keep their meaning', () => {
  const { buffers } = written({ age: -0, spend: MAX_FLOAT32, region: -(2 ** 53 - 1) });
  expect(Object.is(buffers.numbers[3], -0)).toBe(true);
  expect([buffers.numbers[4], buffers.integers[1]]).toEqual([MAX_FLOAT32, BigInt(-(2 ** 53 - 1))]);
  for (const bad of [{ age: 1e308 }, { age: Infinity }, { age: NaN }, { age: 1, region: 2 ** 53 }]) {
    expect(written(bad).accepted).toBe(false);
  }
});

test.each([
  [{ spend: 1 }],
  [{ age: null }],
  [{ age: '30' }],
  [{ age: 30, plan: 5 }],
  [{ age: 30, active: 1 }],
  [{ age: 30, region: 1.5 }],
  [{ age: 30, other: 1 }],
  [JSON.parse('{"age": 30, "__proto__": 1}')],
  [[]],
  [null],
  ['age'],
])('%j is left to the validator that says why', (row) => {
  expect(written(row).accepted).toBe(false);
});

test('names can be anything, and are never code', () => {
  const names = ['a"]; throw 1; //', "it's", '\u2028', 'constructor', 'toString', 'größe', 'row', 'a\\', '${x}'];
  const inputs = names.map((name) => column(name, 'numeric'));
  const row = Object.fromEntries(names.map((name, index) => [name, index]));
  const { accepted, buffers } = written(row, inputs);
  expect(accepted).toBe(true);
  expect([...buffers.numbers.slice(names.length)]).toEqual(names.map((_, index) => index));
});

test('what the writer accepts the validator accepts, and both write the same', () => {
  const random = createRandom(3);
  const pick = <T>(values: readonly T[]) => values[Math.floor(random() * values.length)]!;
  const values = [1, -0, 1.5, 1e308, 2 ** 53, true, false, 'plus', '', 'a\0b', null, [], {}, NaN];
  const fitting = { numeric: 1.5, boolean: true, categorical_string: 'plus', categorical_integer: -3 };
  const [validate, layout] = [compileRowValidator({ inputs: INPUTS }), layoutOf(INPUTS)];
  const seen = { accepted: 0, refused: 0 };
  for (let round = 0; round < 5000; round++) {
    const columns = INPUTS.filter(() => random() < 0.9);
    const row: Record<string, unknown> = Object.fromEntries(
      columns.map(({ name, type }) => [name, random() < 0.8 ? fitting[type] : pick(values)]),
    );
    if (random() < 0.1) row['other'] = 1;
    const errors: ErrorDetail[] = [];
    const complete = validate(row, '', errors);
    const { accepted, buffers } = written(row);
    expect(accepted).toBe(errors.length === 0);
    seen[accepted ? 'accepted' : 'refused']++;
    if (!accepted) continue;
    const slow = createRowBuffers(layout, 2);
    writeCheckedRow(complete, layout, slow, 1);
    expect(buffers).toEqual(slow);
  }
  expect(Math.min(seen.accepted, seen.refused)).toBeGreaterThan(500);
});
