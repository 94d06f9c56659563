import type { Tree } from '../../../ml/model.ts';
import { normal, type Random } from '../../../ml/random.ts';

/** A random tree with random covers that add up; `lean` above 0.5 makes it a chain. */
export function randomTree(random: Random, columns: number, leaves: number, lean = 0.5): Tree {
  const fields = ['feature', 'threshold', 'left', 'right', 'missing_left', 'value', 'cover'] as const;
  const tree = Object.fromEntries(fields.map((field) => [field, [] as number[]])) as Record<
    (typeof fields)[number],
    number[]
  >;
  const add = (below: number, cover: number): number => {
    const isLeaf = below === 1;
    const node = tree.feature.push(isLeaf ? -1 : Math.floor(random() * columns)) - 1;
    tree.threshold.push(isLeaf ? 0 : Math.fround(normal(random)));
    tree.missing_left.push(!isLeaf && random() < 0.5 ? 1 : 0);
    tree.value.push(isLeaf ? Math.fround(normal(random)) : 0);
    tree.cover.push(cover);
    tree.left[node] = tree.right[node] = -1;
    if (isLeaf) return node;
    const share = 0.02 + 0.96 * random();
    const onLeft = Math.min(below - 1, Math.max(1, Math.round(lean * below)));
    tree.left[node] = add(onLeft, cover * share);
    tree.right[node] = add(below - onLeft, cover * (1 - share));
    return node;
  };
  add(leaves, 1000);
  return tree;
}

/** A row of numbers, a fifth of them missing. */
export const randomRow = (random: Random, columns: number): Float32Array =>
  Float32Array.from({ length: columns }, () => (random() < 0.2 ? NaN : normal(random)));

/** Leaf value of a tree where the columns of `known` are known: a split on another goes both ways, by cover. */
export function expectedLeaf(tree: Tree, row: Float32Array, known: (column: number) => boolean, node = 0): number {
  const column = tree.feature[node]!;
  if (column < 0) return tree.value[node]!;
  const [left, right] = [tree.left[node]!, tree.right[node]!];
  const at = (child: number) => expectedLeaf(tree, row, known, child);
  if (!known(column)) return (at(left) * tree.cover[left]! + at(right) * tree.cover[right]!) / tree.cover[node]!;
  const x = row[column]!;
  return at(x <= tree.threshold[node]! || (Number.isNaN(x) && tree.missing_left[node] === 1) ? left : right);
}

/** Shapley values by their definition, over all subsets of the columns. */
export function shapleyValues(columns: number, worth: (known: (column: number) => boolean) => number): number[] {
  const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1));
  const worths = Array.from({ length: 2 ** columns }, (_, subset) => worth((column) => ((subset >> column) & 1) === 1));
  return Array.from({ length: columns }, (_, column) =>
    worths.reduce((sum, without, subset) => {
      if ((subset >> column) & 1) return sum;
      const size = subset.toString(2).replaceAll('0', '').length;
      const weight = (factorial(size) * factorial(columns - size - 1)) / factorial(columns);
      return sum + weight * (worths[subset | (1 << column)]! - without);
    }, 0),
  );
}
