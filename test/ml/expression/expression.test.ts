import { expect, test } from 'vitest';
import { evaluateExpression } from '../../../ml/expression/evaluate.ts';
import { columnsOf } from '../../../ml/expression/expression.ts';
import { parseExpression } from '../../../ml/expression/parse.ts';

const value = (text: string, columns: Record<string, number> = {}) => {
  const arrays = Object.fromEntries(Object.entries(columns).map(([name, x]) => [name, Float32Array.of(x)]));
  return evaluateExpression(parseExpression(text), arrays, 1)[0];
};

test.each([
  ['1 + 2 * 3', 7],
  ['(1 + 2) * 3', 9],
  ['8 / 4 / 2', 1],
  ['5 - 3 - 1', 1],
  ['-2 * -3', 6],
  ['2--1', 3],
  ['-(1 + 1)', -2],
  ['1.5e2 + .5', 150.5],
  ['min(3, 2) + max(3, 2)', 5],
  ['sqrt(abs(-16))', 4],
  ['log(exp(2))', 2],
  ['log1p(0)', 0],
  ['bucket(5, 1, 5, 10)', 2],
  ['bucket(-20, -10, 0)', 0],
  ['bucket(11, 1, 5, 10)', 3],
  ['coalesce(1 / 0, -1)', -1],
  ['coalesce(4, -1)', 4],
])('%s is %d', (text, expected) => {
  expect(value(text)).toBe(expected);
});

test.each(['1 / 0', '0 / 0', 'log(0)', 'log(-1)', 'log1p(-1)', 'exp(1000)', 'sqrt(-1)', '3e38 * 3e38', '3e38 + 3e38'])(
  '%s is missing',
  (text) => {
    expect(value(text)).toBeNaN();
  },
);

test.each(['x + 1', '-x', 'min(x, 1)', 'max(1, x)', 'bucket(x, 1)', 'abs(x)', 'x * 0', 'exp(x)'])(
  '%s is missing where x is missing',
  (text) => {
    expect(value(text, { x: NaN })).toBeNaN();
  },
);

test('a step without a finite result stays missing, whatever is done with it', () => {
  expect(value('1 / (1 / 0)')).toBeNaN();
  expect(value('min(1 / 0, 3)')).toBeNaN();
  expect(value('exp(log(0))')).toBeNaN();
  expect(value('bucket(1 / 0, 1)')).toBeNaN();
});

test('computes in float64 and rounds once', () => {
  // In float32 the sum would lose x.
  expect(value('(x + 100000000) - 100000000', { x: 1.25 })).toBe(1.25);
  expect(value('0.1')).toBe(Math.fround(0.1));
});

test('reads every row of its columns', () => {
  const columns = { a: Float32Array.of(1, 2, NaN), b: Float32Array.of(2, 0, 1) };
  expect([...evaluateExpression(parseExpression('a / b'), columns, 3)]).toEqual([0.5, NaN, NaN]);
});

test('names the columns once, and a function name without parentheses is a column', () => {
  expect(columnsOf(parseExpression('a / (log + a) + log(b)'))).toEqual(['a', 'log', 'b']);
});

test.each([
  ['', 'position 1: expected a number, a column, a function or (, but the expression ends'],
  ['a +', 'position 4: expected a number, a column, a function or (, but the expression ends'],
  ['(a', "position 3: expected ')', but the expression ends"],
  ['a b', "position 3: expected an operator or the expression's end, but found 'b'"],
  ['a ^ 2', "position 3: expected a number, a name, an operator or a parenthesis, but found '^ 2'"],
  ['1 + pow(a, 2)', 'position 5: expected a function (log, log1p, exp, sqrt, abs, min, max, bucket, coalesce)'],
  ['min(a)', "position 6: expected ',', but found ')'"],
  ['log(a, b)', "position 6: expected ')', but found ', b)'"],
  ['bucket(a, b)', "position 11: expected a number, but found 'b)'"],
  ['bucket(a, 2, 1)', "position 14: expected a cut above 2, but found '1)'"],
  ['coalesce(a, b)', "position 13: expected a number, but found 'b)'"],
  ['1e39', 'position 1: expected a number of at most'],
])('%j is refused with its position', (text, message) => {
  expect(() => parseExpression(text)).toThrow(RangeError);
  expect(() => parseExpression(text)).toThrow(message);
});

test('refuses a text that is too long and a column that is absent', () => {
  expect(() => parseExpression('('.repeat(1001))).toThrow('at most 1000 characters, this one 1001');
  expect(() => value('a + toString', { a: 1 })).toThrow("no numeric or boolean column 'toString'");
});
