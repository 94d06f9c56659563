import type { ClassWeights } from '../class-weights.ts';
import type { Tree } from '../model.ts';
import type { BinnedMatrix } from './binning.ts';
import { leafStep, type GrownNode, type GrownTree } from './grow.ts';
import { rowsOf } from './gradients.ts';

export interface LeafRules {
  readonly learning_rate: number;
  readonly l2: number;
  readonly unit: number;
}

/** The tree in the form that is stored and served: cuts instead of bins, float32 leaf values. */
export function toTree(
  { nodes, rows }: GrownTree,
  { cuts }: BinnedMatrix,
  target: Uint8Array,
  weights: ClassWeights,
  { learning_rate, l2, unit }: LeafRules,
): Tree {
  const value = (node: GrownNode) => (node.split ? 0 : Math.fround(learning_rate * leafStep(node.sums, l2, unit)));
  return {
    feature: nodes.map(({ split }) => split?.feature ?? -1),
    threshold: nodes.map(({ split }) => (split ? cuts[split.feature]![split.bin]! : 0)),
    left: nodes.map((node) => node.left),
    right: nodes.map((node) => node.right),
    missing_left: nodes.map(({ split }) => (split?.missingLeft ? 1 : 0)),
    value: nodes.map(value),
    cover: covers(nodes, rows, target, weights, unit),
  };
}

function covers(
  nodes: readonly GrownNode[],
  rows: Uint32Array,
  target: Uint8Array,
  weights: ClassWeights,
  unit: number,
): number[] {
  if (weights[0] === 1 && weights[1] === 1) return nodes.map(({ sums }) => rowsOf(sums.packed, unit));
  const cover = nodes.map(() => 0);
  // Children come after their parent, so from the end every child is known first.
  for (let index = nodes.length - 1; index >= 0; index--) {
    const { split, left, right, start, end } = nodes[index]!;
    cover[index] = split ? cover[left]! + cover[right]! : weightOf(rows.subarray(start, end), target, weights);
  }
  return cover;
}

function weightOf(rows: Uint32Array, target: Uint8Array, [negative, positive]: ClassWeights): number {
  let positives = 0;
  for (let i = 0; i < rows.length; i++) positives += target[rows[i]!]!;
  return positives * positive + (rows.length - positives) * negative;
}
