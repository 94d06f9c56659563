import { requireSameCells, shares, type Counts } from './shares.ts';

/** Total variation distance, ½ Σ |p − q|: the share of rows that would have to change cells. As Evidently's `TVD`. */
export function totalVariation(reference: Counts, current: Counts): number {
  requireSameCells('totalVariation', reference, current);
  const p = shares(reference);
  const q = shares(current);
  return p.reduce((sum, share, cell) => sum + Math.abs(share - q[cell]!), 0) / 2;
}
