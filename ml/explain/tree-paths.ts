import type { Tree } from '../model.ts';

/**
 * The way to every leaf of an ensemble, in arrays: leaf l has the conditions `starts[l]` to `starts[l + 1]`. Conditions
 * on the same feature are merged into one, so a path has a feature once (Mitchell, Frank & Holmes, GPUTreeShap, PeerJ
 * Computer Science 8:e880, 2022). A condition holds for lower < x <= upper, and for NaN where `missing` is 1.
 */
export interface TreePaths {
  readonly value: Float64Array;
  readonly starts: Uint32Array;
  readonly feature: Uint32Array;
  /** NaN where there is no bound: no x is <= NaN. */
  readonly lower: Float32Array;
  readonly upper: Float32Array;
  readonly missing: Uint8Array;
  /** Share of the training weight that goes the leaf's way at the splits of the feature. */
  readonly share: Float64Array;
  /** Conditions of the longest path. */
  readonly longest: number;
}

interface Condition {
  readonly feature: number;
  readonly lower: number;
  readonly upper: number;
  readonly missing: number;
  readonly share: number;
}
interface Leaf {
  readonly value: number;
  readonly conditions: readonly Condition[];
}

/** The paths of all leaves of all trees. */
export function treePaths(trees: readonly Tree[]): TreePaths {
  const leaves = trees.flatMap((tree) => leavesOf(tree));
  const conditions = leaves.flatMap((leaf) => leaf.conditions);
  const starts = new Uint32Array(leaves.length + 1);
  leaves.forEach((leaf, index) => (starts[index + 1] = starts[index]! + leaf.conditions.length));
  return {
    value: Float64Array.from(leaves, (leaf) => leaf.value),
    starts,
    feature: Uint32Array.from(conditions, ({ feature }) => feature),
    lower: Float32Array.from(conditions, ({ lower }) => lower),
    upper: Float32Array.from(conditions, ({ upper }) => upper),
    missing: Uint8Array.from(conditions, ({ missing }) => missing),
    share: Float64Array.from(conditions, ({ share }) => share),
    longest: leaves.reduce((most, leaf) => Math.max(most, leaf.conditions.length), 0),
  };
}

function leavesOf(tree: Tree, node = 0, conditions: readonly Condition[] = []): Leaf[] {
  const feature = tree.feature[node]!;
  if (feature < 0) return [{ value: tree.value[node]!, conditions }];
  const goesLeft = tree.missing_left[node]!;
  const threshold = tree.threshold[node]!;
  const branch = (child: number, condition: Omit<Condition, 'feature' | 'share'>) => {
    const share = tree.cover[child]! / tree.cover[node]!;
    return leavesOf(tree, child, withCondition(conditions, { ...condition, feature, share }));
  };
  return [
    ...branch(tree.left[node]!, { lower: NaN, upper: threshold, missing: goesLeft }),
    ...branch(tree.right[node]!, { lower: threshold, upper: Infinity, missing: 1 - goesLeft }),
  ];
}

function withCondition(conditions: readonly Condition[], added: Condition): readonly Condition[] {
  const known = conditions.find(({ feature }) => feature === added.feature);
  if (!known) return [...conditions, added];
  const both: Condition = {
    feature: added.feature,
    lower: added.lower <= known.lower || Number.isNaN(added.lower) ? known.lower : added.lower,
    upper: Math.min(known.upper, added.upper),
    missing: known.missing * added.missing,
    share: known.share * added.share,
  };
  return conditions.map((condition) => (condition === known ? both : condition));
}
