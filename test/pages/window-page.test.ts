import { expect, test } from 'vitest';
import { windowPage } from '../../pages/window-page.ts';
import { categoricalColumn, exampleReport, numericColumn } from './example-report.ts';
import { elementsOf, textOf } from './read-html.ts';

const HOSTILE = `</title></style></svg>"'><script>alert(1)</script><img src=x onerror=alert(2)>&lt;\0\u202e\ud800`;

test('no name, category or metric, whatever it holds, adds an element or an attribute to the page', () => {
  const pageWith = (text: string) => {
    const distribution = { categories: [text, 'b'], reference: [1, 2], current: [2, 1] };
    const columns = [
      categoricalColumn({ column: text, drifted: true, distribution, new_categories: { values: [text], share: 0.1 } }),
      numericColumn({ column: `${text}2` }),
    ];
    const scores = { [text]: { method: 'jensen_shannon', score: 0.1, drifted: false } } as const;
    const history = [{ sequence: 1, closed_at: '2026-11-20T00:00:00.000Z', columns: scores }];
    return windowPage(exampleReport({ endpoint: text, model: text, columns, history, estimate: { [text]: 1 } }));
  };
  const hostile = pageWith(HOSTILE);
  expect(elementsOf(hostile)).toEqual(elementsOf(pageWith('harmless')));
  expect(hostile).not.toMatch(/[\0\u202e]/);
  expect(hostile.isWellFormed()).toBe(true);
  expect(textOf(hostile)).toContain('alert(1)');
});

test('the page needs nothing but itself and runs nothing', () => {
  const elements = elementsOf(windowPage(exampleReport()));
  expect(elements.length).toBeGreaterThan(50);
  for (const { name, attributes } of elements) {
    expect(['script', 'iframe', 'object', 'embed', 'base', 'form', 'img', 'a']).not.toContain(name);
    for (const attribute of Object.keys(attributes)) expect(attribute).not.toMatch(/^(on|src|srcset|style|action)/);
    if (name === 'link') expect(attributes['href']).toBe('data:,');
  }
  expect(windowPage(exampleReport())).not.toMatch(/url\(|@import/);
});

test('tables have captions and column headers, drawings have titles', () => {
  const elements = elementsOf(windowPage(exampleReport()));
  const count = (wanted: string) => elements.filter(({ name }) => name === wanted).length;
  expect(count('table')).toBe(1);
  expect(count('caption')).toBe(1);
  expect(elements.filter(({ name, attributes }) => name === 'th' && attributes['scope'] === undefined)).toEqual([]);
  elements.forEach(({ name, attributes }, index) => {
    if (name !== 'svg') return;
    expect(attributes['role']).toBe('img');
    expect(elements[index + 1]!.name).toBe('title');
  });
  expect(count('svg')).toBe(4); // three distributions (one column is empty) and one course of scores
});

test('what has drifted comes first and what could not be judged last', () => {
  const text = textOf(windowPage(exampleReport()));
  const table = text.slice(text.indexOf('Threshold'), text.indexOf('Distributions'));
  const order = ['income', 'probability', 'purpose', 'empty'].map((name) => table.indexOf(name));
  expect(order).toEqual([...order].sort((a, b) => a - b));
  expect(order).not.toContain(-1);
});

test('the page says in words what was found', () => {
  const text = textOf(windowPage(exampleReport()));
  expect(text).toContain(
    '1 of 3 features drifted (income). The window counts as drifted from 50.0 % of the features on.',
  );
  expect(text).toContain('Wasserstein: distance 0.61, threshold 0.1');
  expect(text).toContain('Out of range 1.3 % of rows');
  expect(text).toContain('No values in either sample.');
  expect(text).toContain('Window 2: 0.4');
  const few = textOf(windowPage(exampleReport({ judged: false, rows: { reference: 20_000, current: 1 } })));
  expect(few).toContain('Too few rows to judge');
  expect(few).toContain('This window has 1 row, which is too few to judge by');
});

test('a column that has lost all its values has drifted, though it has no score', () => {
  const gone = numericColumn({ column: 'income', score: null, drifted: true, missing: { reference: 0, current: 1 } });
  const text = textOf(windowPage(exampleReport({ columns: [gone] })));
  expect(text).toContain('1 of 3 features drifted (income)');
  expect(text).not.toContain('Not judged');
});

test('scores of another method are no part of the course', () => {
  const columns = { income: { method: 'ks', score: 0.9, drifted: false } } as const;
  const history = [{ sequence: 1, closed_at: '2026-11-20T00:00:00.000Z', columns }];
  expect(windowPage(exampleReport({ history }))).not.toContain('class="spark"');
});

test('the same report is the same page, and no coordinate is without a number', () => {
  const constant = numericColumn({ distribution: { edges: [5, 5], reference: [100], current: [7] } });
  const gone = categoricalColumn({ distribution: { categories: ['a'], reference: [3], current: [0] } });
  const none = categoricalColumn({ distribution: { categories: [], reference: [], current: [] } });
  const report = exampleReport({ columns: [constant, gone, none, ...exampleReport().columns] });
  expect(windowPage(report)).toBe(windowPage(structuredClone(report)));
  expect(windowPage(report)).not.toMatch(/NaN|Infinity|undefined|\[object/);
});

test('of many categories the most frequent are shown and the others added up', () => {
  const categories = Array.from({ length: 300 }, (_, index) => `c${index}`);
  const counts = categories.map((_, index) => index + 1);
  const column = categoricalColumn({ distribution: { categories, reference: counts, current: counts } });
  const text = textOf(windowPage(exampleReport({ columns: [column] })));
  expect(text).toContain('c299: reference 0.7 %, current 0.7 %');
  expect(text).toContain('291 others: reference 94.1 %, current 94.1 %');
});
