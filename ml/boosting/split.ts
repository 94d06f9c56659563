import { MISSING_BIN, type BinnedMatrix } from './binning.ts';
import { BINS, type Histogram } from './histogram.ts';

export interface SplitRules {
  readonly min_rows_per_leaf: number;
  readonly l2: number;
  /** See Gradients. */
  readonly unit: number;
}

/** Sums over a node's rows; `packed` as in Gradients. */
export interface NodeSums {
  readonly gradient: number;
  readonly packed: number;
}

export interface Split {
  readonly feature: number;
  /** Rows with bin <= this go left. */
  readonly bin: number;
  readonly missingLeft: boolean;
  readonly gain: number;
  readonly left: NodeSums;
}

/** As LightGBM's min_sum_hessian_in_leaf: a leaf of rows already predicted with certainty would get a huge value. */
const MIN_HESSIAN = 1e-3;
// Below this a gain is rounding noise of the quotients.
const MIN_GAIN = 1e-9;

export const rowsOf = (packed: number, unit: number) => Math.floor(packed / unit);
export const hessianOf = (packed: number, unit: number) => packed - rowsOf(packed, unit) * unit;

/** The cut with the largest fall of the regularised second-order loss, or null when none helps and keeps to the rules. */
export function bestSplit(
  { cuts }: BinnedMatrix,
  histogram: Histogram,
  node: NodeSums,
  rules: SplitRules,
): Split | null {
  let best: Split | null = null;
  for (let feature = 0; feature < cuts.length; feature++) {
    const missing = histogram.packed[feature * BINS + MISSING_BIN]! > 0;
    const floor: number = best?.gain ?? MIN_GAIN;
    best = scan(feature, cuts[feature]!.length, histogram, node, rules, false, floor) ?? best;
    if (missing) {
      best = scan(feature, cuts[feature]!.length, histogram, node, rules, true, best?.gain ?? MIN_GAIN) ?? best;
    } else if (best?.feature === feature) {
      best = { ...best, missingLeft: 2 * rowsOf(best.left.packed, rules.unit) > rowsOf(node.packed, rules.unit) };
    }
  }
  return best;
}

/**
 * Gain of a cut: GL² / (HL + λ) + GR² / (HR + λ) − G² / (H + λ), with G, H the sums of first and second derivatives
 * (Chen & Guestrin, XGBoost, 2016, eq. 7, without the constant half).
 */
function scan(
  feature: number,
  cuts: number,
  histogram: Histogram,
  node: NodeSums,
  { min_rows_per_leaf, l2, unit }: SplitRules,
  missingLeft: boolean,
  floor: number,
): Split | null {
  const { gradient, packed } = histogram;
  const offset = feature * BINS;
  const minPacked = min_rows_per_leaf * unit;
  const nodeScore = node.gradient ** 2 / (hessianOf(node.packed, unit) + l2);
  const nodeHessian = hessianOf(node.packed, unit);
  let leftGradient = missingLeft ? gradient[offset + MISSING_BIN]! : 0;
  let leftPacked = missingLeft ? packed[offset + MISSING_BIN]! : 0;
  let bestScore = floor + nodeScore;
  let bestBin = -1;
  let bestGradient = 0;
  let bestPacked = 0;
  for (let bin = 0; bin < cuts; bin++) {
    const rows = packed[offset + bin]!;
    if (rows === 0) continue;
    leftGradient += gradient[offset + bin]!;
    leftPacked += rows;
    if (leftPacked < minPacked) continue;
    if (node.packed - leftPacked < minPacked) break;
    const leftHessian = leftPacked - Math.floor(leftPacked / unit) * unit;
    const rightHessian = nodeHessian - leftHessian;
    if (leftHessian < MIN_HESSIAN || rightHessian < MIN_HESSIAN) continue;
    const rightGradient = node.gradient - leftGradient;
    const score = leftGradient ** 2 / (leftHessian + l2) + rightGradient ** 2 / (rightHessian + l2);
    if (score > bestScore) {
      bestScore = score;
      bestBin = bin;
      bestGradient = leftGradient;
      bestPacked = leftPacked;
    }
  }
  if (bestBin === -1) return null;
  const left = { gradient: bestGradient, packed: bestPacked };
  return { feature, bin: bestBin, missingLeft, gain: bestScore - nodeScore, left };
}
