import type { Correction } from './drift-report.ts';

/** p-values after a correction for having made many tests, in the same order. As statsmodels' `multipletests`. */
export function correctPValues(pValues: readonly number[], correction: Correction): number[] {
  switch (correction) {
    case 'none':
      return [...pValues];
    case 'bonferroni':
      return pValues.map((p) => Math.min(1, p * pValues.length));
    case 'benjamini_hochberg':
      return benjaminiHochberg(pValues);
  }
}

/** The share of false findings among all is held below the threshold (Benjamini & Hochberg 1995). */
function benjaminiHochberg(pValues: readonly number[]): number[] {
  const descending = pValues.map((_, index) => index).sort((a, b) => pValues[b]! - pValues[a]!);
  const corrected = new Array<number>(pValues.length);
  let least = 1;
  descending.forEach((index, place) => {
    least = Math.min(least, (pValues[index]! * pValues.length) / (pValues.length - place));
    corrected[index] = least;
  });
  return corrected;
}
