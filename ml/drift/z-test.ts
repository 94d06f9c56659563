import { chiSquaredTail } from './chi-squared-tail.ts';
import { requireSameCells, sum, type Counts } from './shares.ts';

/**
 * Two-sided p-value of the z-test that the first cell's share is the same in both samples, with the pooled share as
 * variance. As Evidently's `z`; z² has one degree of freedom, so the chi-squared tail is the normal one. 1 when all rows are
 * in one cell.
 */
export function zTest(reference: Counts, current: Counts): number {
  requireSameCells('zTest', reference, current);
  const rows = { reference: sum(reference), current: sum(current) };
  const first = reference.length === 0 ? 0 : reference[0]! + current[0]!;
  const pooled = first / (rows.reference + rows.current);
  const variance = pooled * (1 - pooled) * (1 / rows.reference + 1 / rows.current);
  if (!(variance > 0)) return 1;
  const difference = reference[0]! / rows.reference - current[0]! / rows.current;
  return chiSquaredTail(difference ** 2 / variance, 1);
}
