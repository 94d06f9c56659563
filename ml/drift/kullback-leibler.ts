import { filledShares, requireSameCells, shares, type Counts } from './shares.ts';

/**
 * Kullback–Leibler divergence of the current from the reference counts, Σ p log(p / q) in nats. As Evidently's `kl_div`
 * (scipy's `entropy(p, q)`, which makes both add up to 1 again after empty cells are filled).
 */
export function kullbackLeibler(reference: Counts, current: Counts): number {
  requireSameCells('kullbackLeibler', reference, current);
  const p = shares(filledShares(reference));
  const q = shares(filledShares(current));
  const divergence = p.reduce((sum, share, cell) => sum + share * Math.log(share / q[cell]!), 0);
  return Math.max(0, divergence); // by rounding alone it could be below
}
