import { expect, test } from 'vitest';
import { type ListedReport, reportListPage } from '../../pages/report-list-page.ts';
import { elementsOf, textOf } from './read-html.ts';

const HOSTILE = `"><script>alert(1)</script>'`;
const listed = (changes: Partial<ListedReport> = {}): ListedReport => ({
  endpoint: 'loans',
  sequence: 3,
  model: 'loans',
  version: 2,
  rows: 1000,
  first_at: '2026-11-21T20:01:12.123Z',
  last_at: '2026-11-21T21:01:00.000Z',
  judged: true,
  drifted: true,
  drifted_share: 0.75,
  prediction_drifted: false,
  columns: ['a', 'b', 'c', 'd', 'e'].map((column) => ({ column, role: 'feature', drifted: column !== 'e' })),
  ...changes,
});
const pageOf = (changes: Partial<Parameters<typeof reportListPage>[0]> = {}) =>
  reportListPage({ reports: [listed()], filter: {}, isFirst: true, nextCursor: null, ...changes });
const linksIn = (page: string) =>
  elementsOf(page).flatMap(({ name, attributes }) =>
    name === 'a' ? [attributes['href']!.replaceAll('&amp;', '&')] : [],
  );

test('each report has its line, its verdict and a link to its page', () => {
  const page = pageOf({ reports: [listed(), listed({ sequence: 2, judged: false, drifted: false })] });
  expect(linksIn(page)).toEqual(['/reports/loans/3', '/reports/loans/2']);
  expect(textOf(page)).toContain(
    'loans, window 3 Drift loans 2 2026-11-21 20:01 UTC 2026-11-21 21:01 UTC 1000 75.0 % a, b, c and 1 more',
  );
  expect(textOf(page)).toContain('Too few rows to judge');
});

test('the form shows the filter, and the links to other pages keep it', () => {
  const filter = { endpoint: 'loans', verdict: 'drift', since: '2026-11-01' } as const;
  const page = pageOf({ filter, isFirst: false, nextCursor: 'a+b=' });
  const query = 'endpoint=loans&verdict=drift&since=2026-11-01';
  expect(linksIn(page).slice(1)).toEqual([`/reports?${query}`, `/reports?${query}&cursor=a%2Bb%3D`]);
  const elements = elementsOf(page);
  const selected = elements.filter(({ name, attributes }) => name === 'option' && 'selected' in attributes);
  expect(selected.map(({ attributes }) => attributes['value'])).toEqual(['drift']);
  const values = elements.filter(({ name }) => name === 'input').map(({ attributes }) => attributes['value']);
  expect(values).toEqual(['loans', '2026-11-01', '']);
});

test('a page without reports says so, one with the last has no link to older ones', () => {
  expect(textOf(pageOf({ reports: [] }))).toContain('No report matches.');
  expect(textOf(pageOf())).not.toContain('Older');
});

test('nothing that is shown adds an element to the page', () => {
  const withText = (text: string) =>
    pageOf({
      reports: [listed({ model: text, columns: [{ column: text, role: 'feature', drifted: true }] })],
      filter: { endpoint: text, since: text },
      nextCursor: text,
    });
  const shapeOf = (page: string) => elementsOf(page).map(({ name, attributes }) => [name, Object.keys(attributes)]);
  expect(shapeOf(withText(HOSTILE))).toEqual(shapeOf(withText('harmless')));
});
