import { expect, test } from 'vitest';
import { textTable, toTheMinute } from '../../cli/text-table.ts';

test('columns line up, a missing cell is a dash, and no line ends in spaces', () => {
  expect(
    textTable(
      ['model', 'version', 'algorithm'],
      [
        ['churn', 12, null],
        ['a-longer-name', 1, 'trees'],
        ['x', 3, ''],
      ],
    ),
  ).toBe(
    [
      'MODEL          VERSION  ALGORITHM',
      'churn          12       -',
      'a-longer-name  1        trees',
      'x              3',
    ].join('\n'),
  );
});

test('a time is shown to the minute', () => {
  expect(toTheMinute('2026-11-21T19:20:45.123Z')).toBe('2026-11-21 19:20');
});
