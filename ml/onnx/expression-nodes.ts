import type { BinaryOperator, Expression, UnaryFunction } from '../expression/expression.ts';
import { attribute, tensor, TYPE, type Graph } from './graph.ts';

/**
 * Adds the nodes that compute an expression as `evaluateExpression` does: in double, missing where a step has no finite
 * result, rounded to float at the end.
 * @param doubleColumn the double [N, 1] value of a column
 * @returns a float [N, 1] value
 */
export function expressionNodes(graph: Graph, expression: Expression, doubleColumn: (name: string) => string): string {
  const rounded = cast(graph, nodesOf(graph, expression, doubleColumn), 'float');
  return finiteOrMissing(graph, rounded, graph.constant(tensor.float([NaN], [1, 1])));
}

export const cast = (graph: Graph, value: string, to: 'float' | 'double') =>
  graph.node('Cast', [value], [attribute.int('to', TYPE[to])]);

function nodesOf(graph: Graph, expression: Expression, doubleColumn: (name: string) => string): string {
  const operand = (part: Expression) => nodesOf(graph, part, doubleColumn);
  // Infinity passes through + - * unharmed and is caught at the end; where it would become an ordinary number, here.
  const finiteOperand = (part: Expression) => {
    const value = operand(part);
    return mayBeInfinite(part) ? finiteOrMissing(graph, value, double(graph, NaN)) : value;
  };
  switch (expression.kind) {
    case 'number':
      return double(graph, expression.value);
    case 'column':
      return doubleColumn(expression.name);
    case 'negate':
      return graph.node('Neg', [operand(expression.operand)]);
    case 'binary': {
      const { operator, left, right } = expression;
      const keepsInfinity = operator === '+' || operator === '-' || operator === '*';
      const dividend = keepsInfinity || operator === '/' ? operand(left) : finiteOperand(left);
      return graph.node(BINARY[operator], [dividend, keepsInfinity ? operand(right) : finiteOperand(right)]);
    }
    case 'function':
      return functionNodes(graph, expression.name, finiteOperand(expression.argument));
    case 'bucket':
      return bucketNodes(graph, finiteOperand(expression.argument), expression.cuts);
    case 'coalesce': {
      const argument = finiteOperand(expression.argument);
      return graph.node('Where', [graph.node('IsNaN', [argument]), double(graph, expression.value), argument]);
    }
  }
}

const BINARY: Record<BinaryOperator, string> = {
  '+': 'Add',
  '-': 'Sub',
  '*': 'Mul',
  '/': 'Div',
  min: 'Min',
  max: 'Max',
};
const UNARY: Record<Exclude<UnaryFunction, 'log1p'>, string> = { log: 'Log', exp: 'Exp', sqrt: 'Sqrt', abs: 'Abs' };

function functionNodes(graph: Graph, name: UnaryFunction, argument: string): string {
  if (name !== 'log1p') return graph.node(UNARY[name], [argument]);
  return graph.node('Log', [graph.node('Add', [double(graph, 1), argument])]);
}

// Comparing [N, 1] with [1, cuts] gives [N, cuts]; the sum over the cuts is the bucket. NaN compares false.
function bucketNodes(graph: Graph, argument: string, cuts: readonly number[]): string {
  const reached = graph.node('GreaterOrEqual', [argument, graph.constant(tensor.double(cuts, [1, cuts.length]))]);
  const axes = graph.constant(tensor.int64([1], [1]));
  const bucket = graph.node('ReduceSum', [cast(graph, reached, 'double'), axes]);
  return graph.node('Where', [graph.node('IsNaN', [argument]), argument, bucket]);
}

const finiteOrMissing = (graph: Graph, value: string, missing: string) =>
  graph.node('Where', [graph.node('IsInf', [value]), missing, value]);

const double = (graph: Graph, value: number) => graph.constant(tensor.double([value], [1, 1]));

/** Sums of float32 columns and constants stay far inside the range of a double; products and quotients may not. */
function mayBeInfinite(expression: Expression): boolean {
  switch (expression.kind) {
    case 'number':
    case 'column':
    case 'bucket':
    case 'coalesce':
      return false;
    case 'negate':
      return mayBeInfinite(expression.operand);
    case 'binary':
      if (expression.operator === '*' || expression.operator === '/') return true;
      if (expression.operator === 'min' || expression.operator === 'max') return false;
      return mayBeInfinite(expression.left) || mayBeInfinite(expression.right);
    case 'function':
      return expression.name !== 'abs' && expression.name !== 'sqrt';
  }
}
