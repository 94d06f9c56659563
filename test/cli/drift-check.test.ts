import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { driftCheck, type VersionDrift } from '../../cli/drift-check.ts';
import { quoteText, withDuckDb } from '../../lib/duckdb.ts';
import { limits, testFolder } from '../data/examples.ts';

const REFERENCE = `SELECT i % 60 AS age, 'p' || i % 3 AS plan, i % 2 = 0 AS member, 'row ' || i AS id,
  TIMESTAMP '2026-01-01' AS day FROM range(2000) t(i)`;
/** Thirty years older; one row in ten has a new plan, one in five no answer. */
const CURRENT = `SELECT 30 + i % 60 AS age, CASE WHEN i % 10 = 0 THEN 'new' WHEN i % 10 < 3 THEN NULL ELSE 'p' || i % 3 END AS plan,
  i % 2 = 0 AS member, 'row ' || i AS id, TIMESTAMP '2026-01-01' AS day FROM range(1000) t(i)`;

async function folderOf(tables: Record<string, string>, suite?: unknown) {
  const folder = await testFolder();
  const file = (name: string) => join(folder, name);
  for (const [name, sql] of Object.entries(tables)) {
    await withDuckDb(limits(folder), (db) => db.run(`COPY (${sql}) TO ${quoteText(file(name))} (FORMAT parquet)`));
  }
  if (suite !== undefined) await writeFile(file('suite.json'), JSON.stringify(suite));
  return file;
}

async function check(args: readonly string[], versions: readonly VersionDrift[] = []) {
  const said: string[] = [];
  const asked: string[][] = [];
  const exitCode = await driftCheck(['check', ...args], {
    say: (text) => said.push(text),
    endpointDrift: (...of) => {
      asked.push(of);
      return Promise.resolve(versions);
    },
  });
  return { exitCode, text: said.join('\n'), asked };
}
async function checkFiles(suite?: unknown, { more = [] as string[], current = CURRENT } = {}) {
  const file = await folderOf({ 'a.parquet': REFERENCE, 'b.parquet': current }, suite);
  const from = ['--reference', file('a.parquet'), '--current', file('b.parquet')];
  const found = await check([...from, ...(suite === undefined ? [] : ['--suite', file('suite.json')]), ...more]);
  return { ...found, file };
}
const linesOf = (text: string) => text.split('\n').map((line) => line.replace(/ {2,}/g, ' | '));

test('every column has a line: its method, score, threshold and verdict; other columns are left out with the reason', async () => {
  const { text, exitCode } = await checkFiles({ drift: { ignore: ['id'] } });
  expect(linesOf(text)).toEqual([
    'b.parquet beside a.parquet: 1000 rows beside 2000',
    '',
    'column | method | score | threshold | verdict',
    expect.stringMatching(/^age \| wasserstein \| 1\.7\d* \| 0\.1 \| DRIFT$/),
    expect.stringMatching(/^plan \| jensen_shannon \| 0\.\d+ \| 0\.1 \| DRIFT$/),
    expect.stringMatching(/^member \| jensen_shannon \| 0 \| 0\.1 \| ok$/),
    'day: left out, TIMESTAMP is not compared',
    '',
    '2 of 3 features drifted (0.6667; the table has from 0.5)',
    'FAIL | no drift of the features: 2 of 3, less than a share of 0.5',
    'FAILED',
  ]);
  expect(exitCode).toBe(1);
});

test('without a suite, or with one that names no test, the test is that the table has not drifted', async () => {
  const passed = await checkFiles(undefined, { current: REFERENCE });
  expect(passed.exitCode).toBe(0);
  expect(passed.text).toContain('pass  no drift of the features: 0 of 4');
  const failed = await checkFiles({ drift: { drift_share: 0.75 } });
  expect(failed.exitCode).toBe(1);
  expect(failed.text).toContain('FAIL  no drift of the features: 3 of 4, less than a share of 0.75');
});

test('a suite says for each of its tests whether it passed and what was found, as text and as JSON', async () => {
  const suite = {
    min_rows: 500,
    max_drifted_share: 0.3,
    columns: {
      age: { drifted: false, max_missing_share: 0, max_out_of_range_share: 0.6 },
      plan: { max_missing_share: 0.1, max_new_category_share: 0.1 },
    },
    drift: { ignore: ['id'], columns: { age: { method: 'psi', threshold: 100 } } },
  };
  const { exitCode, text } = await checkFiles(suite);
  expect(exitCode).toBe(1);
  expect(text.split('\n').filter((line) => /^(pass|FAIL) /.test(line))).toEqual([
    'pass  rows: 1000, at least 500',
    'FAIL  drifted share of the features: 0.3333, at most 0.3',
    expect.stringMatching(/^pass {2}age: no drift: psi \d+(\.\d+)?, threshold 100$/),
    'pass  age: missing share: 0, at most 0',
    'pass  age: share out of range: 0.49, at most 0.6',
    'FAIL  plan: missing share: 0.2, at most 0.1',
    'pass  plan: share of new categories: 0.1, at most 0.1',
  ]);
  const json = JSON.parse((await checkFiles(suite, { more: ['--json'] })).text) as Record<string, unknown>;
  expect(json).toMatchObject({ passed: false, left_out: [{ column: 'day' }], report: { rows: { current: 1000 } } });
  expect(json.tests).toHaveLength(7);
});

test('what is not judged has not passed', async () => {
  const suite = { max_drifted_share: 1, columns: { age: { drifted: false } } };
  const { exitCode, text } = await checkFiles(suite, { current: `${CURRENT} LIMIT 20` });
  expect(exitCode).toBe(1);
  expect(text.match(/FAIL .*20 rows are too few to judge by/g)).toHaveLength(2);
});

test('the page is a file of its own', async () => {
  const { file } = await checkFiles();
  const page = file('page.html');
  await check(['--reference', file('a.parquet'), '--current', file('b.parquet'), '--html', page]);
  const html = await readFile(page, 'utf8');
  expect(html).toMatch(/^<!doctype html>/);
  expect(html).toContain('b.parquet beside a.parquet');
  expect(html).not.toContain('<script');
});

test.each([
  [
    'no column of the name',
    `SELECT 1 AS age, 'x' AS plan, true AS member`,
    /b\.parquet: has no column 'id', .*b\.parquet: has no column 'day'/,
  ],
  [
    'another type',
    `SELECT 'x' AS age, * EXCLUDE (age) FROM (${CURRENT})`,
    /b\.parquet: column 'age' is VARCHAR, but numeric in .*a\.parquet/,
  ],
])('a table with %s is refused by file, column and rule', async (_, current, message) => {
  await expect(checkFiles(undefined, { current })).rejects.toMatchObject({
    code: 'INVALID',
    message: expect.stringMatching(message) as string,
  });
});

test.each([
  [{ max_drifted_share: 2 }, /suite\.json: max_drifted_share: /],
  [{ columns: { age: { drift: false } } }, /suite\.json: columns\.age: Unrecognized key: "drift"/],
  [{ columns: { agee: { drifted: false } } }, /suite\.json: column 'agee': is no column that is compared/],
  [{ drift: { columns: { plan: { method: 'ks' } } } }, /suite\.json: column 'plan': ks compares numbers/],
  [{ drift: { ignore: ['age', 'plan', 'member', 'id', 'day'] } }, /a\.parquet: has no column that can be compared/],
])('the suite %j is refused by the rule it breaks', async (suite, message) => {
  await expect(checkFiles(suite)).rejects.toMatchObject({
    code: 'INVALID',
    message: expect.stringMatching(message) as string,
  });
});

test('files that are absent, no Parquet or no JSON are refused by name', async () => {
  const file = await folderOf({ 'a.parquet': REFERENCE });
  const compare = (current: string, ...more: string[]) =>
    check(['--reference', file('a.parquet'), '--current', file(current), ...more]);
  await expect(compare('gone.parquet')).rejects.toThrow(/gone\.parquet: does not exist or may not be read/);
  await writeFile(file('text'), 'no table');
  await expect(compare('text')).rejects.toThrow(/text: is not a Parquet file, or a damaged one/);
  await expect(compare('a.parquet', '--suite', file('gone.json'))).rejects.toThrow(/gone\.json: does not exist/);
  await expect(compare('a.parquet', '--suite', file('text'))).rejects.toThrow(/text: is not JSON/);
});

test.each([
  [[], 'either --reference and --current, or --endpoint'],
  [['--reference', 'a'], 'either --reference and --current, or --endpoint'],
  [['--reference', 'a', '--endpoint', 'b'], 'either --reference and --current, or --endpoint'],
  [['--reference', 'a', '--current', 'b', '--since', '1h'], '--since goes with --endpoint'],
  [['--verbose'], '--verbose'],
  [['--endpoint', 'churn', '--since', 'yesterday'], 'not a duration as 30m, 24h or 7d'],
])('the arguments %j are answered with what is wrong', async (args, message) => {
  await expect(check(args)).rejects.toMatchObject({
    code: 'INVALID',
    message: expect.stringContaining(message) as string,
  });
});

test('an endpoint is tested by the windows of the version that was asked last', async () => {
  const report = (version: number, share: number): VersionDrift => ({
    ...{
      model: 'churn',
      version,
      windows: 3,
      rows: { reference: 1000, current: 3000 },
      judged: true,
      drifted: share >= 0.5,
    },
    ...{ features: { compared: 10, drifted: 10 * share, share }, drift_share: 0.5, correction: 'none', columns: [] },
  });
  const before = Date.now();
  const found = await check(['--endpoint', 'churn', '--since', '2d'], [report(4, 0.6), report(3, 0)]);
  expect(found.exitCode).toBe(1);
  expect(found.text).toMatch(/^churn since .*models:\/churn\/4, windows: 3: 3000 rows beside 1000/);
  const [[endpoint, since]] = found.asked as [[string, string]];
  expect(endpoint).toBe('churn');
  expect(Math.abs(before - 2 * 86_400_000 - Date.parse(since))).toBeLessThan(60_000);
  expect((await check(['--endpoint', 'churn'], [report(4, 0.1)])).exitCode).toBe(0);
  await expect(check(['--endpoint', 'churn'])).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('texts that name every row are left out', async () => {
  const rows = `SELECT i % 60 AS age, 'row ' || i AS id FROM range(100_001) t(i)`;
  const file = await folderOf({ 'a.parquet': rows });
  const { exitCode, text } = await check(['--reference', file('a.parquet'), '--current', file('a.parquet')]);
  expect(text).toContain('id: left out, more than 100000 different values');
  expect(text).toContain('0 of 1 features drifted');
  expect(exitCode).toBe(0);
});
