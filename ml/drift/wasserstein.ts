const LEAST_SPREAD = 0.001;

/**
 * First Wasserstein distance (mean distance that mass has to move) of two samples in ascending order, neither empty. As
 * `scipy.stats.wasserstein_distance`: one walk over both.
 */
export function wasserstein(reference: Float64Array, current: Float64Array): number {
  const [m, n] = [reference.length, current.length];
  let i = 0;
  let j = 0;
  let at = Math.min(reference[0]!, current[0]!);
  let distance = 0;
  while (i < m && j < n) {
    const next = reference[i]! <= current[j]! ? reference[i]! : current[j]!;
    distance += Math.abs(i / m - j / n) * (next - at);
    at = next;
    if (reference[i] === next) i++;
    else j++;
  }
  for (; i < m; at = reference[i++]!) distance += (1 - i / m) * (reference[i]! - at);
  for (; j < n; at = current[j++]!) distance += (1 - j / n) * (current[j]! - at);
  return distance;
}

/**
 * The distance in standard deviations of the reference, or in thousandths where that is less. As Evidently's
 * `wasserstein`.
 * @param deviation of the reference, over all its values (not n − 1)
 */
export function normedWasserstein(reference: Float64Array, current: Float64Array, deviation: number): number {
  return wasserstein(reference, current) / Math.max(deviation, LEAST_SPREAD);
}
