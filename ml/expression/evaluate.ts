import { columnsOf, type BinaryOperator, type Expression, type UnaryFunction } from './expression.ts';

type RowFunction = (row: number) => number;

/**
 * The value of an expression for every row, computed in float64 and rounded to float32 at the end. Missing (NaN) in any
 * operand makes a result missing, and so does every step that has no finite result: x / 0, log(0), exp(1000).
 * @throws RangeError when a column is absent
 */
export function evaluateExpression(
  expression: Expression,
  columns: Readonly<Record<string, Float32Array>>,
  rows: number,
): Float32Array {
  const absent = columnsOf(expression).find((name) => !Object.hasOwn(columns, name));
  if (absent !== undefined) throw new RangeError(`expression: there is no numeric or boolean column '${absent}'`);
  const valueAt = compile(expression, columns);
  const result = new Float32Array(rows);
  for (let row = 0; row < rows; row++) result[row] = finite(Math.fround(valueAt(row)));
  return result;
}

const finite = (value: number) => (Number.isFinite(value) ? value : NaN);

function compile(expression: Expression, columns: Readonly<Record<string, Float32Array>>): RowFunction {
  switch (expression.kind) {
    case 'number':
      return () => expression.value;
    case 'column': {
      const values = columns[expression.name]!;
      return (row) => finite(values[row]!);
    }
    case 'negate': {
      const operand = compile(expression.operand, columns);
      return (row) => -operand(row);
    }
    case 'binary': {
      const apply = BINARY[expression.operator];
      return apply(compile(expression.left, columns), compile(expression.right, columns));
    }
    case 'function': {
      const apply = UNARY[expression.name];
      const argument = compile(expression.argument, columns);
      return (row) => finite(apply(argument(row)));
    }
    case 'bucket':
      return bucket(compile(expression.argument, columns), expression.cuts);
    case 'coalesce': {
      const argument = compile(expression.argument, columns);
      return (row) => {
        const value = argument(row);
        return Number.isNaN(value) ? expression.value : value;
      };
    }
  }
}

// One closure per operator, so that each stays monomorphic and is inlined.
const BINARY: Record<BinaryOperator, (left: RowFunction, right: RowFunction) => RowFunction> = {
  '+': (left, right) => (row) => finite(left(row) + right(row)),
  '-': (left, right) => (row) => finite(left(row) - right(row)),
  '*': (left, right) => (row) => finite(left(row) * right(row)),
  '/': (left, right) => (row) => finite(left(row) / right(row)),
  min: (left, right) => (row) => Math.min(left(row), right(row)),
  max: (left, right) => (row) => Math.max(left(row), right(row)),
};

const UNARY: Record<UnaryFunction, (x: number) => number> = {
  log: Math.log,
  log1p: (x) => Math.log(1 + x),
  exp: Math.exp,
  sqrt: Math.sqrt,
  abs: Math.abs,
};

function bucket(argument: RowFunction, cuts: readonly number[]): RowFunction {
  return (row) => {
    const value = argument(row);
    if (Number.isNaN(value)) return NaN;
    const above = cuts.findIndex((cut) => cut > value);
    return above === -1 ? cuts.length : above;
  };
}
