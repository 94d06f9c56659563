import { quoteName, quoteText } from '../lib/duckdb.ts';
import type { ErrorDetail } from '../lib/errors.ts';
import type { InputColumn } from '../ml/features.ts';
import { NUMBER_TYPE, rawSql, typedSql } from './typed-sql.ts';

type TypeOf = (column: string) => string;
const MAX_FLOAT32 = '3.4028234663852886e38';
const WANTED: Record<InputColumn['type'], string> = {
  numeric: 'a number',
  boolean: 'true or false',
  categorical_integer: 'an integer between -(2^53 - 1) and 2^53 - 1',
  categorical_string: 'a string',
};
const SHOWN_CHARACTERS = 60;

/** Inputs whose column is of a type that no value of it could fit. */
export const typeProblems = (inputs: readonly InputColumn[], typeOf: TypeOf): ErrorDetail[] =>
  inputs
    .filter((input) => !mayFit(input, typeOf(input.name)))
    .map(({ name, type }) => ({
      path: name,
      rule: 'type',
      message: `the column is ${typeOf(name)}, but must be ${WANTED[type]}`,
    }));

function mayFit({ type }: InputColumn, sqlType: string): boolean {
  if (sqlType === 'VARCHAR' || NUMBER_TYPE.test(sqlType)) return true;
  const isNested = /\[|\(/.test(sqlType) && !/^ENUM/.test(sqlType);
  return type === 'categorical_string' ? !isNested && sqlType !== 'BLOB' : type === 'boolean' && sqlType === 'BOOLEAN';
}

/** SQL of an input as the model takes it (FLOAT, BOOLEAN, BIGINT, VARCHAR), null where it is missing or broken. */
export function modelValueSql({ name, type }: InputColumn, sqlType: string): string {
  if (type !== 'numeric') return typedSql(type, quoteName(name), sqlType, 'null');
  const value = doubleSql(name, sqlType);
  // By way of a double, as a number in JSON goes.
  return `CASE WHEN abs(${value}) <= ${MAX_FLOAT32} THEN CAST(${value} AS FLOAT) END`;
}

/** SQL of a column of the result: model inputs that are text in their own type, all else as it is. */
export function keptValueSql(name: string, sqlType: string, input: InputColumn | undefined): string {
  if (input === undefined || sqlType !== 'VARCHAR' || input.type === 'categorical_string') return quoteName(name);
  return input.type === 'numeric' ? doubleSql(name, sqlType) : modelValueSql(input, sqlType);
}

/** SQL of what is wrong with a row, as `age: must not be null; plan: …`; null for a row that can be scored. */
export function rowErrorSql(inputs: readonly InputColumn[], typeOf: TypeOf): string {
  const errors = inputs.map((input) => {
    const message = errorSql(input, typeOf(input.name));
    return `CASE ${message} END`;
  });
  return `nullif(concat_ws('; ', ${errors.join(', ')}), '')`;
}

function errorSql(input: InputColumn, sqlType: string): string {
  const { name, type, nullable } = input;
  const raw = rawSql(type, quoteName(name));
  const says = (message: string) => quoteText(`${name}: ${message}`);
  const value = `left(${raw}, ${SHOWN_CHARACTERS})`;
  const missing = nullable ? `WHEN ${raw} IS NULL THEN NULL` : `WHEN ${raw} IS NULL THEN ${says('must not be null')}`;
  if (type === 'numeric') {
    const number = doubleSql(name, sqlType);
    return `${missing}
      WHEN isinf(${number}) THEN ${says('must be a finite number')}
      WHEN abs(${number}) > ${MAX_FLOAT32} THEN ${says('is beyond the range of a 32-bit float')}
      WHEN ${number} IS NULL THEN ${says(`must be ${WANTED.numeric}, not `)} || ${value}`;
  }
  return `${missing}
    WHEN ${modelValueSql(input, sqlType)} IS NULL THEN ${says(`must be ${WANTED[type]}, not `)} || ${value}`;
}

/** NaN is a missing number. */
function doubleSql(name: string, sqlType: string): string {
  const reference = sqlType === 'VARCHAR' ? `nullif(${quoteName(name)}, '')` : quoteName(name);
  return `nullif(TRY_CAST(${reference} AS DOUBLE), 'nan'::DOUBLE)`;
}
