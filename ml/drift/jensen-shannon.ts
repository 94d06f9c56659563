import { requireSameCells, shares, type Counts } from './shares.ts';

/**
 * Jensen–Shannon distance, √(½ KL(p‖m) + ½ KL(q‖m)) with m = (p + q) / 2, in nats: 0 = identical, √(log 2) = nothing in
 * common. As scipy's `distance.jensenshannon` and Evidently's `jensenshannon`.
 */
export function jensenShannon(reference: Counts, current: Counts): number {
  requireSameCells('jensenShannon', reference, current);
  const p = shares(reference);
  const q = shares(current);
  const divergence = p.reduce((sum, share, cell) => sum + towardsMiddle(share, q[cell]!), 0) / 2;
  return Math.sqrt(Math.max(0, divergence));
}

function towardsMiddle(p: number, q: number): number {
  const middle = (p + q) / 2;
  return (p === 0 ? 0 : p * Math.log(p / middle)) + (q === 0 ? 0 : q * Math.log(q / middle));
}
