import type { ColumnRule } from './row-validator.ts';

const MAX_TEXT = 200;

/** The rule for whom or what a row is about: text or a whole number, as labels name it. */
export const entityRule: ColumnRule = (value) => {
  const isName = typeof value === 'string' && value.length > 0 && value.length <= MAX_TEXT && !value.includes('\0');
  if (isName || Number.isSafeInteger(value)) return null;
  return { rule: 'entity', message: `must be text of 1 to ${MAX_TEXT} characters without U+0000, or a whole number` };
};
