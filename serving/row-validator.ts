import type { ErrorDetail } from '../lib/errors.ts';
import type { InputColumn } from '../ml/features.ts';
import type { ModelSignature, RawRow } from '../ml/signature.ts';
import { entityRule } from './entity-rule.ts';

type Value = RawRow[string];
export interface Broken {
  readonly rule: string;
  readonly message: string;
}
/** What is wrong with a value that is not missing; null when nothing is. */
export type ColumnRule = (value: unknown) => Broken | null;
/** Puts what is wrong into `errors`, each path prefixed with `prefix`; the row it answers holds every input. */
export type RowValidator = (row: unknown, prefix: string, errors: ErrorDetail[]) => RawRow;

export const MAX_FLOAT32 = 3.4028234663852886e38;

/**
 * The rules for one row, prepared once per signature. Only missing values of nullable columns may be null or absent;
 * categories the model has not seen are accepted, and scored as missing. The entity may come along.
 */
export function compileRowValidator({ inputs, entity }: Pick<ModelSignature, 'inputs' | 'entity'>): RowValidator {
  const columns = inputs.map((input) => ({ name: input.name, check: ruleOf(input), nullable: input.nullable }));
  const known = new Set(inputs.map((input) => input.name));

  return (row, prefix, errors) => {
    const complete: RawRow = {};
    if (typeof row !== 'object' || row === null || Array.isArray(row)) {
      errors.push({ path: prefix || 'body', rule: 'type', message: 'must be an object of features by name' });
      return complete;
    }
    const path = (name: string) => (prefix ? `${prefix}.${name}` : name);
    for (const { name, check, nullable } of columns) {
      const present = Object.hasOwn(row, name);
      const value = present ? (row as Record<string, unknown>)[name] : null;
      const broken = value === null ? missing(present, nullable) : check(value);
      if (broken) errors.push({ path: path(name), ...broken });
      else complete[name] = value as Value;
    }
    const about = entity !== undefined && Object.hasOwn(row, entity) ? (row as Record<string, unknown>)[entity] : null;
    const broken = about === null ? null : entityRule(about);
    if (broken) errors.push({ path: path(entity!), ...broken });
    for (const name of Object.keys(row)) {
      if (name !== entity && !known.has(name))
        errors.push({ path: path(name), rule: 'unknown_column', message: 'is not a feature of the model' });
    }
    return complete;
  };
}

/** What is wrong with a missing value (null, or not present) of a column. */
export function missing(present: boolean, nullable: boolean): Broken | null {
  if (nullable) return null;
  return present ? { rule: 'not_null', message: 'must not be null' } : { rule: 'required', message: 'is required' };
}

/** The rule for the values of a column. */
export function ruleOf({ type }: Pick<InputColumn, 'type'>): ColumnRule {
  switch (type) {
    case 'numeric':
      return finiteNumber;
    case 'boolean':
      return (value) => (typeof value === 'boolean' ? null : wrongType('true or false'));
    case 'categorical_string':
      return textWithoutNul;
    case 'categorical_integer':
      return safeInteger;
  }
}

const finiteNumber: ColumnRule = (value) => {
  if (typeof value !== 'number') return wrongType('a number');
  // JSON.parse reads 1e999 as Infinity.
  if (!Number.isFinite(value)) return { rule: 'finite', message: 'must be a finite number' };
  if (Math.abs(value) > MAX_FLOAT32) return { rule: 'float32', message: 'is beyond the range of a 32-bit float' };
  return null;
};

// ONNX Runtime's binding takes text as C does: what follows the character would not be seen.
const textWithoutNul: ColumnRule = (value) => {
  if (typeof value !== 'string') return wrongType('a string');
  return value.includes('\0') ? { rule: 'no_nul', message: 'must not hold the character U+0000' } : null;
};

const safeInteger: ColumnRule = (value) => {
  if (typeof value !== 'number') return wrongType('an integer');
  if (Number.isSafeInteger(value)) return null;
  return { rule: 'safe_integer', message: 'must be an integer between -(2^53 - 1) and 2^53 - 1' };
};

const wrongType = (expected: string): Broken => ({ rule: 'type', message: `must be ${expected}` });
