/** Counts of `values` in `bins` equal bins over [low, high]; values outside fall into the first or last bin. */
export function histogram(values: Float64Array, low: number, high: number, bins: number) {
  if (!(low < high) || !(bins >= 1)) throw new RangeError(`histogram: ${bins} bins over [${low}, ${high}]`);
  const counts = new Array<number>(bins).fill(0);
  let sum = 0;
  for (const value of values) {
    const bin = Math.floor(((value - low) / (high - low)) * bins);
    counts[Math.min(bins - 1, Math.max(0, bin))]! += 1;
    sum += value;
  }
  return { low, high, counts, mean: values.length === 0 ? null : sum / values.length };
}
