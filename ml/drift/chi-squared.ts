import { chiSquaredTail } from './chi-squared-tail.ts';
import { requireSameCells, sum, type Counts } from './shares.ts';

/**
 * p-value of Pearson's chi-squared test of the current counts, expecting the reference's shares: scipy's `chisquare`, as
 * Evidently's `chisquare` calls it. 0 when a cell that the reference lacks is met; 1 when there is only one cell.
 */
export function chiSquared(reference: Counts, current: Counts): number {
  requireSameCells('chiSquared', reference, current);
  const scale = sum(current) / sum(reference);
  let statistic = 0;
  let cells = 0;
  for (let cell = 0; cell < reference.length; cell++) {
    if (reference[cell] === 0 && current[cell] === 0) continue;
    const expected = reference[cell]! * scale;
    statistic += (current[cell]! - expected) ** 2 / expected;
    cells++;
  }
  return cells < 2 ? 1 : chiSquaredTail(statistic, cells - 1);
}
