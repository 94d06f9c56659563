import { requireSameCells, shares, type Counts } from './shares.ts';

/**
 * Hellinger distance, √(½ Σ (√p − √q)²): 0 = identical, 1 = nothing in common. Evidently's `hellinger`, √(1 − Σ √(pq)), is
 * the same number, but loses eight digits where the samples are alike.
 */
export function hellinger(reference: Counts, current: Counts): number {
  requireSameCells('hellinger', reference, current);
  const p = shares(reference);
  const q = shares(current);
  return Math.sqrt(p.reduce((sum, share, cell) => sum + (Math.sqrt(share) - Math.sqrt(q[cell]!)) ** 2, 0) / 2);
}
