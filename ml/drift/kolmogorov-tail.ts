import { durbin } from './kolmogorov-durbin.ts';
import { pelzGood } from './kolmogorov-pelz-good.ts';
import { binomialProbability } from './saddle-point.ts';

const MOST_TERMS = 1_000_000;

/**
 * Chance that the empirical distribution of `n` values is at least `d` away from the true one: `scipy.stats.kstwo.sf`.
 * Each region has the method that is exact there (Simard & L'Ecuyer 2011).
 */
export function oneSampleTail(d: number, n: number): number {
  if (d >= 1) return 0;
  if (d <= 0 || n * d <= 0.5) return 1;
  const [t, spread] = [n * d, n * d * d];
  if (t >= n - 1) return 2 * (1 - d) ** n;
  if (d >= 0.5) return Math.min(1, 2 * oneSidedTail(d, n));
  if (n <= 140) return spread <= 4 ? 1 - durbin(d, n) : 2 * oneSidedTail(d, n);
  if (spread >= 370) return 0;
  if (spread >= 2.2) return Math.min(1, 2 * oneSidedTail(d, n));
  const below = n <= 100_000 && n * d ** 1.5 <= 1.4 ? durbin(d, n) : pelzGood(d, n);
  return Math.min(1, Math.max(0, 1 - below));
}

/**
 * Chance that the empirical distribution is somewhere `d` above the true one, by Smirnov's sum; above a million values
 * its leading term (scipy's `smirnov` does the same).
 */
function oneSidedTail(d: number, n: number): number {
  if (n > MOST_TERMS) return Math.exp(-((6 * n * d + 1) ** 2) / (18 * n));
  let sum = (1 - d) ** n / d;
  for (let k = 1; k < n * (1 - d); k++) {
    const expected = n * d + k;
    if (expected < n) sum += (binomialProbability(k, n, expected) * n) / expected;
  }
  return d * sum;
}
