import { countBelow } from './cells.ts';
import type { PreparedNumbers } from './prepared-column.ts';

/** Share of current rows below the least or above the greatest value of the reference; 0 when either has no value. */
export function rangeViolations(reference: PreparedNumbers, current: PreparedNumbers): number {
  if (reference.count === 0 || current.count === 0) return 0;
  const { sorted, rows, count } = current;
  const below = countBelow(sorted, reference.sorted[0]!);
  const above = sorted.length - countUpTo(sorted, reference.sorted.at(-1)!);
  return ((below + above) / sorted.length) * (count / rows);
}

/** How many values of an ascending sample are at most `limit`. */
function countUpTo(sorted: Float64Array, limit: number): number {
  let until = countBelow(sorted, limit);
  while (sorted[until] === limit) until++;
  return until;
}
