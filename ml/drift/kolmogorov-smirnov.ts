import { exactTail } from './kolmogorov-exact.ts';
import { oneSampleTail } from './kolmogorov-tail.ts';

const EXACT_UP_TO = 10_000;
// exp(−50): both ways agree that it is nothing, and the exact one would walk through denormal numbers, slowly.
const CERTAIN = 50;

/** Greatest distance of the two empirical distributions. Both samples in ascending order, neither empty. */
export function kolmogorovSmirnovStatistic(reference: Float64Array, current: Float64Array): number {
  const [m, n] = [reference.length, current.length];
  let i = 0;
  let j = 0;
  let greatest = 0; // times m n: whole numbers, hence exact
  while (i < m && j < n) {
    const [a, b] = [reference[i]!, current[j]!];
    const at = a <= b ? a : b;
    while (i < m && reference[i] === at) i++;
    while (j < n && current[j] === at) j++;
    const distance = Math.abs(i * n - j * m);
    if (distance > greatest) greatest = distance;
  }
  return greatest / (m * n);
}

/**
 * Two-sided p-value of a two-sample Kolmogorov–Smirnov statistic, as `scipy.stats.ks_2samp(method='auto')`: exact up to
 * 10,000 values in the larger sample, above that the one-sample distribution for m n / (m + n) values.
 * @param m values of one sample, ≥ 1
 * @param n values of the other, ≥ 1
 */
export function kolmogorovSmirnovTail(statistic: number, m: number, n: number): number {
  const size = (m * n) / (m + n);
  const small = Math.max(m, n) <= EXACT_UP_TO && 2 * size * statistic ** 2 < CERTAIN;
  const exact = small ? exactTail(statistic, m, n) : null;
  return exact ?? oneSampleTail(statistic, roundHalfEven(size));
}

function roundHalfEven(x: number): number {
  const rounded = Math.round(x);
  return rounded - x === 0.5 && rounded % 2 === 1 ? rounded - 1 : rounded;
}
