import { type BinnedMatrix } from './binning.ts';
import { hessianOf, rowsOf, type Gradients, type NodeSums } from './gradients.ts';
import { buildHistogram, createHistogramPool, subtractHistogram, type Histogram } from './histogram.ts';
import { partition } from './partition.ts';
import { bestSplit, type Split, type SplitRules } from './split.ts';

export interface GrowthRules {
  readonly max_leaves: number;
  readonly min_rows_per_leaf: number;
  readonly l2: number;
}

/** A node of a grown tree. A leaf has no split and holds the rows `start` to `end` of `GrownTree.rows`. */
export interface GrownNode {
  start: number;
  end: number;
  sums: NodeSums;
  split: Split | null;
  left: number;
  right: number;
}

export interface GrownTree {
  readonly nodes: readonly GrownNode[];
  readonly rows: Uint32Array;
}

/** A leaf that can still be split, with the histogram its children's are made of, unless too many were held. */
interface OpenLeaf {
  readonly node: number;
  readonly histogram: Histogram | null;
  readonly split: Split;
}

const HISTOGRAM_BYTES = 256 * 2 ** 20;

/** @param total sums of the gradients of all rows */
export type TreeGrower = (gradients: Gradients, total: NodeSums) => GrownTree;

/**
 * Grows trees leaf by leaf, always at the leaf whose best split helps most (best-first, as LightGBM). Only the smaller
 * child's histogram is built. The rows of a returned tree are valid until the next call.
 * @param histogramBytes memory for histograms; leaves above it build theirs again, which changes no tree
 */
export function createTreeGrower(
  matrix: BinnedMatrix,
  rules: GrowthRules,
  histogramBytes = HISTOGRAM_BYTES,
): TreeGrower {
  const pool = createHistogramPool(matrix, histogramBytes);
  const rows = new Uint32Array(matrix.rows);
  const inOrder = rows.map((_, row) => row);
  const moved = new Uint32Array(matrix.rows);
  const ordered = { gradient: new Float64Array(matrix.rows), packed: new Float64Array(matrix.rows) };

  return (gradients, total) => {
    rows.set(inOrder);
    const nodes: GrownNode[] = [leaf(0, rows.length, total)];
    const open: OpenLeaf[] = [];
    const splitRules: SplitRules = { ...rules, unit: gradients.unit };

    const build = ({ start, end }: GrownNode) => {
      const histogram = pool.take();
      buildHistogram(matrix, gradients, rows.subarray(start, end), ordered, histogram);
      return histogram;
    };
    const release = ({ histogram }: OpenLeaf) => {
      if (histogram) pool.give(histogram);
    };
    const consider = (node: number, histogram: Histogram) => {
      const split = bestSplit(matrix, histogram, nodes[node]!.sums, splitRules);
      const held = split !== null && !pool.isShort();
      if (!held) pool.give(histogram);
      if (split) open.push({ node, histogram: held ? histogram : null, split });
    };
    const splitNode = ({ node, split }: OpenLeaf) => {
      const parent = nodes[node]!;
      partition(matrix, rows.subarray(parent.start, parent.end), split, moved);
      const middle = parent.start + rowsOf(split.left.packed, gradients.unit);
      parent.split = split;
      parent.left = nodes.push(leaf(parent.start, middle, split.left)) - 1;
      parent.right = nodes.push(leaf(middle, parent.end, difference(parent.sums, split.left))) - 1;
      return parent;
    };

    if (rules.max_leaves > 1) consider(0, build(nodes[0]!));
    for (let leaves = 1; leaves < rules.max_leaves && open.length > 0; leaves++) {
      const chosen = takeBest(open);
      const { left, right } = splitNode(chosen);
      if (leaves + 1 === rules.max_leaves) {
        release(chosen);
        break;
      }
      const leftIsSmaller = size(nodes[left]!) < size(nodes[right]!);
      const [small, large] = leftIsSmaller ? [left, right] : [right, left];
      const histogram = build(nodes[small]!);
      if (chosen.histogram) subtractHistogram(chosen.histogram, histogram);
      consider(small, histogram);
      consider(large, chosen.histogram ?? build(nodes[large]!));
    }
    open.forEach(release);
    return { nodes, rows };
  };
}

/** −G / (H + λ): the log-odds step that minimises the second-order loss of a leaf. */
export const leafStep = ({ gradient, packed }: NodeSums, l2: number, unit: number) =>
  -gradient / (hessianOf(packed, unit) + l2);

const size = ({ start, end }: GrownNode) => end - start;
const leaf = (start: number, end: number, sums: NodeSums): GrownNode => ({
  start,
  end,
  sums,
  split: null,
  left: -1,
  right: -1,
});
const difference = (a: NodeSums, b: NodeSums): NodeSums => ({
  gradient: a.gradient - b.gradient,
  packed: a.packed - b.packed,
});

/** Takes out the leaf with the largest gain; the oldest of equals. */
function takeBest(open: OpenLeaf[]): OpenLeaf {
  let best = 0;
  for (let i = 1; i < open.length; i++) {
    if (open[i]!.split.gain > open[best]!.split.gain) best = i;
  }
  return open.splice(best, 1)[0]!;
}
