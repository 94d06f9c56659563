import { expect, test } from 'vitest';
import type { ErrorDetail } from '../../lib/errors.ts';
import { compileRowValidator } from '../../serving/row-validator.ts';

const validate = compileRowValidator({
  inputs: [
    { name: 'age', type: 'numeric', nullable: false },
    { name: 'spend', type: 'numeric', nullable: true },
    { name: 'plan', type: 'categorical_string', nullable: false },
    { name: 'region', type: 'categorical_integer', nullable: true },
    { name: 'active', type: 'boolean', nullable: true },
  ],
});
const GOOD = { age: 30, spend: 1.5, plan: 'basic', region: 7, active: true };
const check = (row: unknown, prefix = '') => {
  const errors: ErrorDetail[] = [];
  const complete = validate(row, prefix, errors);
  return { complete, broken: errors.map(({ path, rule }) => `${path} ${rule}`) };
};

test('a good row passes as it is, and absent nullable values become null', () => {
  expect(check(GOOD)).toEqual({ complete: GOOD, broken: [] });
  expect(check({ age: -0, plan: 'no such plan' })).toEqual({
    complete: { age: -0, spend: null, plan: 'no such plan', region: null, active: null },
    broken: [],
  });
});

test.for<[string, object, string]>([
  ['null where it is not allowed', { age: null }, 'age not_null'],
  ['a number as text', { age: '30' }, 'age type'],
  ['NaN as text', { age: 'NaN' }, 'age type'],
  ['a boolean for a number', { spend: true }, 'spend type'],
  ['a number that JSON.parse reads as Infinity', JSON.parse('{"age":1e999}') as object, 'age finite'],
  ['its negative', JSON.parse('{"age":-1e999}') as object, 'age finite'],
  ['NaN', { age: NaN }, 'age finite'],
  ['a number that overflows a float32', { age: 1e39 }, 'age float32'],
  ['a number for a string category', { plan: 1 }, 'plan type'],
  ['a list for a string category', { plan: ['basic'] }, 'plan type'],
  ['a fraction for an integer category', { region: 1.5 }, 'region safe_integer'],
  ['an integer beyond 2^53', { region: 2 ** 53 }, 'region safe_integer'],
  ['text for an integer category', { region: '7' }, 'region type'],
  ['0 for a boolean', { active: 0 }, 'active type'],
  ['an unknown column', { colour: 'red' }, 'colour unknown_column'],
  ['a name that every object has', { constructor: 1 }, 'constructor unknown_column'],
])('%s is refused by its rule', ([, change, broken]) => {
  expect(check({ ...GOOD, ...change }).broken).toEqual([broken]);
});

test('a column named like an inherited property is required as any other', () => {
  const strict = compileRowValidator({ inputs: [{ name: 'toString', type: 'numeric', nullable: false }] });
  const errors: ErrorDetail[] = [];
  strict({}, '', errors);
  expect(errors).toEqual([{ path: 'toString', rule: 'required', message: 'is required' }]);
});

test('every broken field is named, with the row it is in', () => {
  expect(check({ age: 'x', extra: 1 }, 'rows[3]').broken).toEqual([
    'rows[3].age type',
    'rows[3].plan required',
    'rows[3].extra unknown_column',
  ]);
});

test.for([null, 7, 'text', [1]])('a row that is no object (%j) is refused', (row) => {
  expect(check(row, 'rows[0]').broken).toEqual(['rows[0] type']);
  expect(check(row).broken).toEqual(['body type']);
});
