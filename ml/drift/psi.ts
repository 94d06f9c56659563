import { filledShares, requireSameCells, type Counts } from './shares.ts';

/**
 * Population stability index, Σ (p − q) log(p / q), of counts over the same cells; 0 = identical. As Evidently's `psi`.
 */
export function psi(reference: Counts, current: Counts): number {
  requireSameCells('psi', reference, current);
  const p = filledShares(reference);
  const q = filledShares(current);
  return p.reduce((sum, share, cell) => sum + (share - q[cell]!) * Math.log(share / q[cell]!), 0);
}
