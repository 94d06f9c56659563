export interface Token {
  readonly kind: 'number' | 'name' | 'symbol' | 'end';
  readonly text: string;
  /** Offset of the first character, from 0. */
  readonly position: number;
}

const TOKEN = /\s*(?:(?<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?<name>[A-Za-z_]\w*)|(?<symbol>[-+*/(),]))/y;

/** Splits an expression into numbers, names and symbols, closed by an `end` token. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  const scanner = new RegExp(TOKEN);
  const end = text.trimEnd().length;
  while (scanner.lastIndex < end) {
    const start = scanner.lastIndex;
    const groups = scanner.exec(text)?.groups;
    if (!groups)
      throw syntaxError(
        text,
        start + /^\s*/.exec(text.slice(start))![0].length,
        'a number, a name, an operator or a parenthesis',
      );
    const [kind, found] = Object.entries(groups).find(([, value]) => value !== undefined)!;
    tokens.push({ kind: kind as Token['kind'], text: found, position: scanner.lastIndex - found.length });
  }
  return [...tokens, { kind: 'end', text: '', position: end }];
}

/** The error for what stands at `position` where `expected` was needed. */
export function syntaxError(text: string, position: number, expected: string): RangeError {
  const found =
    position >= text.trimEnd().length ? 'the expression ends' : `found '${text.slice(position, position + 20)}'`;
  return new RangeError(`position ${position + 1}: expected ${expected}, but ${found}`);
}
