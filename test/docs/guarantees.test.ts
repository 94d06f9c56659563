import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { BenchRow } from '../../bench/report.ts';

const DOCS = join(import.meta.dirname, '../../docs');
const LINK = /\[([^\]]+)\]\(([^)\s]+)(?: (["'])(.+?)\3)?\)/g;

interface Link {
  readonly text: string;
  readonly path: string;
  /** What it shows when it is pointed at: how the name of a benchmark's row begins. */
  readonly title: string | undefined;
}
const page = readFileSync(join(DOCS, 'guarantees.md'), 'utf8');
const linksOf = (markdown: string): Link[] =>
  Array.from(markdown.matchAll(LINK), ([, text, path, , title]) => ({ text: text!, path: path!, title }));
const links = linksOf(page);

function problemOf({ text, path, title }: Link): string | undefined {
  const file = join(DOCS, path.split('#')[0]!);
  if (!existsSync(file)) return `${path} does not exist`;
  if (path.startsWith('../test/'))
    return hasTest(readFileSync(file, 'utf8'), text) ? undefined : `no test '${text}' in ${path}`;
  if (path.startsWith('../bench/results/')) return problemOfFigure(text, title, readFileSync(file, 'utf8'));
  return undefined;
}

/** As its author wrote it between quotes, `%s` and `${name}` included. */
const hasTest = (source: string, title: string) =>
  ["'", '"', '`'].some((quote) => source.includes(quote + title + quote));

/** '303 MiB' is the median of the row in its unit, rounded as it is written. */
function problemOfFigure(text: string, title: string | undefined, results: string): string | undefined {
  const row = (JSON.parse(results) as { rows: BenchRow[] }).rows.find(({ what }) => title && what.startsWith(title));
  if (!row) return `no benchmark measures '${title}'`;
  const [number = '', unit] = text.split(' ');
  const decimals = number.split('.')[1]?.length ?? 0;
  const measured = `${row.ours.median.toFixed(decimals)} ${row.unit}`;
  return measured === `${number.replaceAll(',', '')} ${unit}` ? undefined : `${title} is ${measured}, not ${text}`;
}

test('every promise names tests that exist, and every figure is what its benchmark found', () => {
  expect(links).toHaveLength(page.split('](').length - 1);
  expect(links.map(problemOf).filter(Boolean)).toEqual([]);
});

test('every promise is proved by a test or a benchmark', () => {
  const promises = page.split('\n').filter((line) => /^\| (?!promise|-)/.test(line));
  expect(promises.length).toBeGreaterThan(50);
  const proof = /\]\(\.\.\/test\/|`npm run bench -- [\w-]+`/;
  expect(promises.filter((line) => !proof.test(line.split(' | ')[1]!))).toEqual([]);
});

test('a title, a file, a row or a figure that is wrong is noticed', () => {
  const wrong = linksOf(`
    [no such title](../test/docs/guarantees.test.ts) [gone](../test/docs/gone.test.ts) [1 MiB](../bench/results/ingest.json "no row")
    [1.5 MiB](../bench/results/ingest.json "peak memory, 1M × 30 CSV → split matrices")`);
  expect(wrong.map(problemOf)).toEqual([
    `no test '${wrong[0]!.text}' in ../test/docs/guarantees.test.ts`,
    '../test/docs/gone.test.ts does not exist',
    "no benchmark measures 'no row'",
    expect.stringMatching(/is [\d.]+ MiB, not 1\.5 MiB$/),
  ]);
});
