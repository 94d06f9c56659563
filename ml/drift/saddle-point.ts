/**
 * Loader's saddle-point terms ("Fast and accurate computation of binomial probabilities", 2000): they keep binomial and
 * Poisson probabilities exact to the last digits where the logarithms of factorials would cancel each other.
 */

const HALF_LOG_2PI = Math.log(2 * Math.PI) / 2;
const SERIES_FROM = 16;

/** log Γ(x + 1) − (x + ½) log x + x − ½ log 2π: what Stirling's formula lacks. x > 0. */
function stirlingError(x: number): number {
  if (x >= SERIES_FROM) return stirlingSeries(x);
  let shifted = x;
  let logProduct = 0;
  while (shifted < SERIES_FROM) logProduct += Math.log(++shifted);
  const logGamma = stirlingSeries(shifted) + (shifted + 0.5) * Math.log(shifted) - shifted - logProduct;
  return logGamma - (x + 0.5) * Math.log(x) + x;
}

function stirlingSeries(x: number): number {
  const square = x * x;
  return (1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680 - 1 / 1188 / square) / square) / square) / square) / x;
}

/** x log(x / mean) + mean − x, without cancellation where x is near the mean. x ≥ 0, mean > 0. */
function deviance(x: number, mean: number): number {
  if (x === 0) return mean;
  const ratio = (x - mean) / (x + mean);
  if (Math.abs(ratio) >= 0.1) return x * Math.log(x / mean) + mean - x;
  let sum = (x - mean) * ratio;
  let power = 2 * x * ratio;
  for (let j = 3; ; j += 2) {
    power *= ratio * ratio;
    const next = sum + power / j;
    if (next === sum) return sum;
    sum = next;
  }
}

/** Probability of `x` events (any real x > 0) where `mean` are expected: mean^x e^(−mean) / Γ(x + 1). */
export function poissonProbability(x: number, mean: number): number {
  return Math.exp(-stirlingError(x) - deviance(x, mean) - HALF_LOG_2PI - Math.log(x) / 2);
}

/** Probability of `k` of `n` events that each have probability `expected / n`, 0 < expected < n. */
export function binomialProbability(k: number, n: number, expected: number): number {
  const rest = n - k;
  if (k === 0) return Math.exp(n * Math.log1p(-expected / n));
  if (rest === 0) return Math.exp(n * Math.log(expected / n));
  const exponent =
    stirlingError(n) - stirlingError(k) - stirlingError(rest) - deviance(k, expected) - deviance(rest, n - expected);
  return Math.exp(exponent - HALF_LOG_2PI) * Math.sqrt(n / (k * rest));
}
