/** A derived feature as a tree. Column values are float32; everything is computed in float64. */
export type Expression =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'column'; readonly name: string }
  | { readonly kind: 'negate'; readonly operand: Expression }
  | {
      readonly kind: 'binary';
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly kind: 'function'; readonly name: UnaryFunction; readonly argument: Expression }
  /** Number of cuts <= argument. */
  | { readonly kind: 'bucket'; readonly argument: Expression; readonly cuts: readonly number[] }
  /** `value` where the argument is missing. */
  | { readonly kind: 'coalesce'; readonly argument: Expression; readonly value: number };

export type BinaryOperator = '+' | '-' | '*' | '/' | 'min' | 'max';

/** log1p is log(1 + x), the same sum in every evaluator: ONNX has no log1p, and float32 results do not need one. */
export const UNARY_FUNCTIONS = ['log', 'log1p', 'exp', 'sqrt', 'abs'] as const;
export type UnaryFunction = (typeof UNARY_FUNCTIONS)[number];

/** Names of the columns an expression reads, each once, in order of appearance. */
export function columnsOf(expression: Expression): string[] {
  if (expression.kind === 'column') return [expression.name];
  return [...new Set(operandsOf(expression).flatMap(columnsOf))];
}

function operandsOf(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case 'number':
    case 'column':
      return [];
    case 'negate':
      return [expression.operand];
    case 'binary':
      return [expression.left, expression.right];
    case 'function':
    case 'bucket':
    case 'coalesce':
      return [expression.argument];
  }
}
