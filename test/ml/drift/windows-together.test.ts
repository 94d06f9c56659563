import { expect, test } from 'vitest';
import { sketchColumn } from '../../../ml/drift/sketches/column-sketch.ts';
import { addWindows, reportOfSketches } from '../../../ml/drift/windows-together.ts';
import { exampleSketches } from './example-sketches.ts';

test('two halves that have drifted are together what the reference is', () => {
  const [low, high] = [exampleSketches(0), exampleSketches(500)];
  expect(reportOfSketches(low)).toMatchObject({ drifted: true, rows: { reference: 1000, current: 500 } });
  expect(reportOfSketches(high)).toMatchObject({ drifted: true });
  const report = reportOfSketches(addWindows(low, high));
  expect(report).toMatchObject({ judged: true, drifted: false, rows: { reference: 1000, current: 1000 } });
  expect(report.columns[0]!.mean).toEqual({ reference: 499.5, current: 499.5 });
});

test('the later window says which columns there are, of which type, and how they are judged', () => {
  const [earlier, later] = [exampleSketches(0), exampleSketches(500)];
  const column = earlier.columns[0]!;
  const words = sketchColumn({ type: 'categorical', codes: Int32Array.of(0, 0), categories: ['a'] });
  const settings = { ...later.settings, drift_share: 0.9 };
  const before = {
    ...earlier,
    columns: [
      { ...column, reference: words, current: words },
      { ...column, column: 'gone' },
    ],
  };
  const sum = addWindows(before, { ...later, settings, columns: [...later.columns, { ...column, column: 'new' }] });
  expect(sum.columns.map(({ column: name, current }) => [name, current.rows])).toEqual([
    ['income', 500],
    ['new', 500],
  ]);
  expect([sum.settings.drift_share, sum.rows.current]).toEqual([0.9, 1000]);
});
