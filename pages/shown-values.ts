import type { DriftMethod } from '../ml/drift/drift-report.ts';

/** Four significant digits; thousands apart from each other. */
export function numberText(value: number | null): string {
  if (value === null) return '–';
  const rounded = Math.abs(value) >= 1e4 ? Math.round(value) : Number(value.toPrecision(4));
  if (Math.abs(rounded) >= 1e15 || Math.abs(rounded) < 1e4) return String(rounded + 0);
  return String(rounded).replace(/\B(?=(\d{3})+$)/g, '\u{202f}');
}

/** A share as a percentage; what is there or missing by very little does not round to none or all. */
export function shareText(share: number): string {
  if (share > 0 && share < 0.0005) return '< 0.1 %';
  if (share < 1 && share > 0.9995) return '> 99.9 %';
  return `${(share * 100).toFixed(1)} %`;
}

/** `iso` is UTC, as `toISOString` writes it. */
export const timeText = (iso: string): string => `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`;

/** The length in characters a text is cut to. */
export const shortened = (text: string, length: number): string =>
  [...text].length <= length ? text : `${[...text].slice(0, length - 1).join('')}…`;

interface MethodWords {
  readonly name: string;
  /** What its score is; a p-value finds drift when it is small, a distance when it is great. */
  readonly score: 'p-value' | 'distance';
}
export const METHOD_WORDS: Readonly<Record<DriftMethod, MethodWords>> = {
  ks: { name: 'Kolmogorov–Smirnov', score: 'p-value' },
  chi_squared: { name: 'Chi-squared', score: 'p-value' },
  z_test: { name: 'Z-test', score: 'p-value' },
  wasserstein: { name: 'Wasserstein', score: 'distance' },
  jensen_shannon: { name: 'Jensen–Shannon', score: 'distance' },
  psi: { name: 'PSI', score: 'distance' },
  hellinger: { name: 'Hellinger', score: 'distance' },
  total_variation: { name: 'Total variation', score: 'distance' },
  kullback_leibler: { name: 'Kullback–Leibler', score: 'distance' },
};
