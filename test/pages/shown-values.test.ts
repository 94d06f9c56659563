import { expect, test } from 'vitest';
import { numberText, shareText, shortened, timeText } from '../../pages/shown-values.ts';

test.each([
  [null, '–'],
  [0, '0'],
  [-0, '0'],
  [0.123456, '0.1235'],
  [1234.56, '1235'],
  [20_000, '20\u{202f}000'],
  [-1_234_567.8, '-1\u{202f}234\u{202f}568'],
  [1.23456e-9, '1.235e-9'],
  [1e300, '1e+300'],
])('the number %s is shown as %s', (value, text) => expect(numberText(value)).toBe(text));

test.each([
  [0, '0.0 %'],
  [1e-9, '< 0.1 %'],
  [0.0125, '1.3 %'],
  [0.9999, '> 99.9 %'],
  [1, '100.0 %'],
])('the share %s is shown as %s', (share, text) => expect(shareText(share)).toBe(text));

test('times are cut to minutes, and long texts between whole characters', () => {
  expect(timeText('2026-11-21T20:01:59.999Z')).toBe('2026-11-21 20:01 UTC');
  expect(shortened('😀😀😀😀', 4)).toBe('😀😀😀😀');
  expect(shortened('😀😀😀😀😀', 4)).toBe('😀😀😀…');
});
