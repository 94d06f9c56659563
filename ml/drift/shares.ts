/** Counts of one sample over its cells (bins or categories), as typed or plain array. */
export type Counts = ArrayLike<number>;

/** Share of each cell; all 0 when nothing was counted. */
export function shares(counts: Counts): Float64Array {
  const total = sum(counts);
  return Float64Array.from(counts, (count) => (total === 0 ? 0 : count / total));
}

/**
 * Shares without zeros, so that logarithms stay finite: an empty cell gets 0.0001, or a millionth of the least share
 * where that is 0.0001 or less. As Evidently's `get_binned_data(feel_zeroes=True)`; they no longer add up to 1.
 */
export function filledShares(counts: Counts): Float64Array {
  const given = shares(counts);
  const least = given.reduce((min, share) => (share > 0 && share < min ? share : min), Infinity);
  const filler = least <= 0.0001 ? least / 1e6 : 0.0001;
  return given.map((share) => (share === 0 ? filler : share));
}

export function sum(counts: Counts): number {
  let total = 0;
  for (let cell = 0; cell < counts.length; cell++) total += counts[cell]!;
  return total;
}

/** Throws a RangeError unless both samples were counted over the same number of cells. */
export function requireSameCells(statistic: string, reference: Counts, current: Counts): void {
  if (reference.length !== current.length)
    throw new RangeError(`${statistic}: ${reference.length} reference cells but ${current.length} current cells`);
}
