import { expect, test } from 'vitest';
import { READY_PIPELINES } from '../../pipelines/ready.ts';
import { csvLine, sampleCsv, sampleNdjson } from '../../pipelines/sample-data.ts';

test('a CSV has a header, one line per row and empty fields for missing values', () => {
  const lines = [...sampleCsv('credit-default', 300, 4)];
  const rows = [...READY_PIPELINES['credit-default'].rows(300, 4)];
  expect(lines).toHaveLength(301);
  const columns = lines[0]!.trimEnd().split(',');
  expect(columns.at(-1)).toBe('defaulted');
  const parsed = lines.slice(1).map((line) => line.trimEnd().split(','));
  expect(parsed).toEqual(rows.map((row) => columns.map((column) => String(row[column] ?? ''))));
  expect(parsed.some((fields) => fields[columns.indexOf('annual_income')] === '')).toBe(true);
});

test('rows are made one by one: the first lines of an endless sample come at once', () => {
  const lines = sampleCsv('churn', Number.MAX_SAFE_INTEGER, 1);
  expect(lines.next().value).toMatch(/^account_age,monthly_charges,.*,satisfaction_score,churned\n$/);
  expect(lines.next().value).toMatch(/,(true|false)\n$/);
});

test('NDJSON holds the same rows, missing values as null', () => {
  const lines = [...sampleNdjson('battle', 40, 2)];
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([...READY_PIPELINES.battle.rows(40, 2)]);
});

test('fields with commas, quotes, line ends or outer blanks are quoted, an empty string differs from a missing value', () => {
  expect(csvLine(['a,b', 'say "hi"', 'two\nlines', ' x', '', null, 1.5, true])).toBe(
    '"a,b","say ""hi""","two\nlines"," x","",,1.5,true\n',
  );
});
