import { describe, expect, test } from 'vitest';

export interface SystemProgram {
  readonly name: string;
  /** Undefined when it is not installed. */
  readonly path: string | undefined;
  /** The command that installs it. */
  readonly install: string;
}

/**
 * Tests with a program that npm does not carry. Without it they are one skipped test whose name says how to get it, and
 * with CI set one that fails.
 */
export function requireProgram({ name, path, install }: SystemProgram, tests: (path: string) => void): void {
  if (path !== undefined) return void describe(`with ${name}`, () => tests(path));
  const missing = `${name} is not installed (${install})`;
  if (process.env['CI']) test(missing, () => expect.fail(missing));
  else test.skip(missing);
}
