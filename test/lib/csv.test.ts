import { expect, test } from 'vitest';
import { csvLine } from '../../lib/csv.ts';

test('plain cells stay as they are and empty ones are empty', () => {
  expect(csvLine(['a', 1, true, null, undefined, 'b c'])).toBe('a,1,true,,,b c\r\n');
});

test('quotes, commas and line ends are quoted', () => {
  expect(csvLine(['a,b', 'say "hi"', 'two\nlines'])).toBe('"a,b","say ""hi""","two\nlines"\r\n');
});

test.each(['=1+1', '+cmd|x', '-2+3', '@SUM(A1)', '\t=1', '\r=1', ' =1', '＝1+1', '\n=1', '-', '+'])(
  'a spreadsheet does not run %j',
  (text) => {
    expect(csvLine([text]).replace(/^"/, '')).toMatch(/^'/);
  },
);

test.each(['-1', '+3.5', '-1e-7', '-.5', '2026-11-21'])('%s stays a number or a date', (text) => {
  expect(csvLine([text])).toBe(`${text}\r\n`);
});

test('a formula that also needs quotes gets both', () => {
  expect(csvLine(['=HYPERLINK("http://evil","x")'])).toBe(`"'=HYPERLINK(""http://evil"",""x"")"\r\n`);
});
