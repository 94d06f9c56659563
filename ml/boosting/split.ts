import { MISSING_BIN, type BinnedMatrix } from './binning.ts';
import { hessianOf, rowsOf, type NodeSums } from './gradients.ts';
import { FEATURE_STRIDE, type Histogram } from './histogram.ts';

export interface SplitRules {
  readonly min_rows_per_leaf: number;
  readonly l2: number;
  /** See Gradients. */
  readonly unit: number;
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
/** A smaller gain is rounding noise of the quotients. */
const MIN_GAIN = 1e-9;

/** The cut with the largest fall of the regularised second-order loss, or null when none helps and keeps to the rules. */
export function bestSplit(
  { cuts }: BinnedMatrix,
  histogram: Histogram,
  node: NodeSums,
  rules: SplitRules,
): Split | null {
  let best: Split | null = null;
  for (let feature = 0; feature < cuts.length; feature++) {
    const sums = histogram[feature >> 2]!;
    const offset = (feature & 3) * FEATURE_STRIDE;
    const cutCount = cuts[feature]!.length;
    const find = (missingLeft: boolean) =>
      bestCut(sums, offset, cutCount, missingLeft, node, rules, best?.gain ?? MIN_GAIN);
    const hasMissing = sums[offset + 2 * MISSING_BIN + 1]! > 0;
    const right = find(false);
    // With nothing missing here, a missing value met later goes where most rows go.
    if (right) best = { feature, ...right, missingLeft: !hasMissing && isMajority(right.left, node, rules.unit) };
    const left = hasMissing ? find(true) : null;
    if (left) best = { feature, ...left, missingLeft: true };
  }
  return best;
}

const isMajority = (left: NodeSums, node: NodeSums, unit: number) =>
  2 * rowsOf(left.packed, unit) > rowsOf(node.packed, unit);

/**
 * Gain of a cut: GL² / (HL + λ) + GR² / (HR + λ) − G² / (H + λ), with G, H the sums of first and second derivatives
 * (Chen & Guestrin, XGBoost, 2016, eq. 7, without the constant half). Null when no gain is above `floor`.
 */
function bestCut(
  sums: Float64Array,
  offset: number,
  cutCount: number,
  missingLeft: boolean,
  node: NodeSums,
  { min_rows_per_leaf, l2, unit }: SplitRules,
  floor: number,
): Pick<Split, 'bin' | 'gain' | 'left'> | null {
  const perUnit = 1 / unit;
  const minPacked = min_rows_per_leaf * unit;
  const nodeHessian = hessianOf(node.packed, unit);
  const nodeScore = node.gradient ** 2 / (nodeHessian + l2);
  const missing = offset + 2 * MISSING_BIN;
  let leftGradient = missingLeft ? sums[missing]! : 0;
  let leftPacked = missingLeft ? sums[missing + 1]! : 0;
  let bestScore = floor + nodeScore;
  let bestBin = -1;
  let bestGradient = 0;
  let bestPacked = 0;
  for (let bin = 0; bin < cutCount; bin++) {
    const slot = offset + 2 * bin;
    const packed = sums[slot + 1]!;
    if (packed === 0) continue;
    leftGradient += sums[slot]!;
    leftPacked += packed;
    if (leftPacked < minPacked) continue;
    if (node.packed - leftPacked < minPacked) break;
    const leftHessian = leftPacked - Math.floor(leftPacked * perUnit) * unit;
    const rightHessian = nodeHessian - leftHessian;
    if (leftHessian < MIN_HESSIAN || rightHessian < MIN_HESSIAN) continue;
    const rightGradient = node.gradient - leftGradient;
    const leftCurve = leftHessian + l2;
    const rightCurve = rightHessian + l2;
    // Both quotients over one denominator: comparing needs no division.
    const numerator = leftGradient * leftGradient * rightCurve + rightGradient * rightGradient * leftCurve;
    const denominator = leftCurve * rightCurve;
    if (numerator > bestScore * denominator) {
      bestScore = numerator / denominator;
      bestBin = bin;
      bestGradient = leftGradient;
      bestPacked = leftPacked;
    }
  }
  if (bestBin === -1) return null;
  return { bin: bestBin, gain: bestScore - nodeScore, left: { gradient: bestGradient, packed: bestPacked } };
}
