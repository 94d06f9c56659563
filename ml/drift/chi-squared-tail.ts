import { poissonProbability } from './saddle-point.ts';

const CONVERGED = 1e-17;

/**
 * Chance that a chi-squared variable is above `x` ≥ 0: the regularised upper incomplete gamma function Q(df/2, x/2), by
 * its series below df/2 + 1 and its continued fraction (Lentz) above. Equal to `scipy.stats.chi2.sf`.
 * @param df degrees of freedom, > 0
 */
export function chiSquaredTail(x: number, df: number): number {
  if (x === Infinity) return 0;
  if (x <= 0) return 1;
  const a = df / 2;
  const half = x / 2;
  return half < a + 1 ? 1 - lowerSeries(a, half) : upperFraction(a, half);
}

function lowerSeries(a: number, x: number): number {
  let term = 1;
  let sum = 1;
  for (let n = 1; term > sum * CONVERGED; n++) {
    term *= x / (a + n);
    sum += term;
  }
  return sum * poissonProbability(a, x);
}

function upperFraction(a: number, x: number): number {
  let b = x + 1 - a;
  let c = Infinity;
  let d = 1 / b;
  let fraction = d;
  for (let n = 1; ; n++) {
    const numerator = -n * (n - a);
    b += 2;
    d = 1 / (numerator * d + b);
    c = b + numerator / c;
    const change = c * d;
    fraction *= change;
    if (Math.abs(change - 1) < 1e-15) return fraction * poissonProbability(a, x) * a;
  }
}
