import { classTextSql, type TableColumn } from './table-schema.ts';

const LARGEST_INTEGER = Number.MAX_SAFE_INTEGER;
export const NUMBER_TYPE = /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL.*)$/;

/**
 * A column's value in its type of the typed table: FLOAT, BOOLEAN, VARCHAR, BIGINT; the target as the text of its
 * class. NaN and empty text are missing.
 * @param sqlType type of `reference`
 * @param onError what a value that is not of the type becomes: an error of the query, or null
 */
export function typedSql(type: TableColumn['type'], reference: string, sqlType: string, onError: 'raise' | 'null') {
  const cast = onError === 'raise' ? 'CAST' : 'TRY_CAST';
  const text = sqlType === 'VARCHAR' ? `nullif(${reference}, '')` : `CAST(${reference} AS VARCHAR)`;
  const number = NUMBER_TYPE.test(sqlType) ? reference : text;
  switch (type) {
    case 'numeric':
      return `nullif(${sqlType === 'FLOAT' ? reference : `${cast}(${number} AS FLOAT)`}, 'nan'::FLOAT)`;
    case 'boolean':
      return sqlType === 'BOOLEAN' ? reference : `${cast}(${text} AS BOOLEAN)`;
    case 'categorical_integer':
      return integerSql(`${cast}(${number} AS DOUBLE)`, onError);
    case 'categorical_string':
      return text;
    case 'target':
      return classTextSql(text);
  }
}

// A cast to BIGINT would round 1.5 to 2.
function integerSql(number: string, onError: 'raise' | 'null'): string {
  const otherwise = onError === 'raise' ? `error('not a whole number')` : 'NULL';
  return `CASE WHEN ${number} IS NULL OR isnan(${number}) THEN NULL
    WHEN ${number} = floor(${number}) AND abs(${number}) <= ${LARGEST_INTEGER} THEN CAST(${number} AS BIGINT)
    ELSE ${otherwise} END`;
}

/** The value as text, null where it is missing: what a message quotes and what `typedSql` reads. */
export function rawSql(type: TableColumn['type'], reference: string): string {
  const text = `nullif(CAST(${reference} AS VARCHAR), '')`;
  if (type !== 'numeric' && type !== 'categorical_integer') return text;
  return `CASE WHEN isnan(TRY_CAST(${text} AS DOUBLE)) THEN NULL ELSE ${text} END`;
}
