import { UNARY_FUNCTIONS, type BinaryOperator, type Expression, type UnaryFunction } from './expression.ts';
import { syntaxError, tokenize, type Token } from './tokens.ts';

// Bounds the depth of the recursion here and in everything that walks the tree.
const MAX_LENGTH = 1000;
const MAX_FLOAT32 = 3.4028234663852886e38;

/**
 * Reads a derived feature: numbers, column names, `+ - * /`, unary minus, parentheses, `log`, `log1p`, `exp`, `sqrt`,
 * `abs`, `min(a, b)`, `max(a, b)`, `bucket(x, cut, …)` and `coalesce(x, constant)`.
 * @throws RangeError with the position (from 1), what was expected and what was found
 */
export function parseExpression(text: string): Expression {
  if (text.length > MAX_LENGTH) {
    throw new RangeError(`an expression has at most ${MAX_LENGTH} characters, this one ${text.length}`);
  }
  const reader = createReader(text);
  const expression = readSum(reader);
  if (reader.peek().kind !== 'end') throw reader.expected("an operator or the expression's end");
  return expression;
}

interface Reader {
  peek(): Token;
  next(): Token;
  /** Takes the symbol if it comes next. */
  take(symbol: string): boolean;
  need(symbol: string): void;
  expected(what: string): RangeError;
}

function createReader(text: string): Reader {
  const tokens = tokenize(text);
  let at = 0;
  const reader: Reader = {
    peek: () => tokens[at]!,
    next: () => tokens[at++]!,
    take: (symbol) => {
      const found = tokens[at]!.kind === 'symbol' && tokens[at]!.text === symbol;
      if (found) at++;
      return found;
    },
    need: (symbol) => {
      if (!reader.take(symbol)) throw reader.expected(`'${symbol}'`);
    },
    expected: (what) => syntaxError(text, tokens[at]!.position, what),
  };
  return reader;
}

function readSum(reader: Reader): Expression {
  return readChain(reader, ['+', '-'], readProduct);
}

function readProduct(reader: Reader): Expression {
  return readChain(reader, ['*', '/'], readSigned);
}

function readChain(reader: Reader, operators: BinaryOperator[], readOperand: (reader: Reader) => Expression) {
  let left = readOperand(reader);
  for (;;) {
    const operator = operators.find((symbol) => reader.take(symbol));
    if (!operator) return left;
    left = { kind: 'binary', operator, left, right: readOperand(reader) };
  }
}

function readSigned(reader: Reader): Expression {
  if (reader.take('-')) return { kind: 'negate', operand: readSigned(reader) };
  const token = reader.peek();
  if (token.kind === 'number') return { kind: 'number', value: readNumber(reader) };
  if (token.kind === 'name') return readName(reader);
  if (!reader.take('(')) throw reader.expected('a number, a column, a function or (');
  const inner = readSum(reader);
  reader.need(')');
  return inner;
}

function readName(reader: Reader): Expression {
  const { text: name } = reader.peek();
  const unknown = reader.expected(`a function (${UNARY_FUNCTIONS.join(', ')}, min, max, bucket, coalesce)`);
  reader.next();
  if (!reader.take('(')) return { kind: 'column', name };
  const call = readArguments(reader, name);
  if (!call) throw unknown;
  reader.need(')');
  return call;
}

function readArguments(reader: Reader, name: string): Expression | undefined {
  if (isUnary(name)) return { kind: 'function', name, argument: readSum(reader) };
  switch (name) {
    case 'min':
    case 'max':
      return { kind: 'binary', operator: name, left: readSum(reader), right: afterComma(reader, readSum) };
    case 'bucket':
      return { kind: 'bucket', argument: readSum(reader), cuts: readCuts(reader) };
    case 'coalesce':
      return { kind: 'coalesce', argument: readSum(reader), value: afterComma(reader, readSignedNumber) };
    default:
      return undefined;
  }
}

const isUnary = (name: string): name is UnaryFunction => (UNARY_FUNCTIONS as readonly string[]).includes(name);

function afterComma<T>(reader: Reader, read: (reader: Reader) => T): T {
  reader.need(',');
  return read(reader);
}

function readCuts(reader: Reader): number[] {
  const cuts = [afterComma(reader, readSignedNumber)];
  while (reader.take(',')) {
    const tooSmall = reader.expected(`a cut above ${cuts.at(-1)}`);
    const cut = readSignedNumber(reader);
    if (cut <= cuts.at(-1)!) throw tooSmall;
    cuts.push(cut);
  }
  return cuts;
}

const readSignedNumber = (reader: Reader): number => (reader.take('-') ? -readNumber(reader) : readNumber(reader));

function readNumber(reader: Reader): number {
  const token = reader.peek();
  if (token.kind !== 'number') throw reader.expected('a number');
  const value = Number(token.text);
  if (value > MAX_FLOAT32) throw reader.expected(`a number of at most ${MAX_FLOAT32}`);
  reader.next();
  return value;
}
