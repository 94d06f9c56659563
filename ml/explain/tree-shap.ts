import type { BoostedTrees } from '../model.ts';
import type { Contributions } from './contributions.ts';
import { gaussLegendre } from './quadrature.ts';
import { treePaths, type TreePaths } from './tree-paths.ts';

/**
 * Path-dependent TreeSHAP (Lundberg et al., From local explanations to global understanding with explainable AI for
 * trees, Nature Machine Intelligence 2, 2020, Algorithm 2): the Shapley values of the columns, where a column that is
 * not known goes both ways, weighted by `cover`. The base is the mean answer over the training weights.
 *
 * A leaf of value v with conditions of shares z_j, of which the row meets those with o_j = 1, gives column i
 * v · (o_i − z_i) · ∫₀¹ Π_{j≠i} (t·o_j + (1−t)·z_j) dt, since a Shapley weight s!(d−s−1)!/d! is ∫ tˢ(1−t)^{d−1−s} dt
 * (Owen, Multilinear extensions of games, Management Science 18(5), 1972). Quadrature is exact for that polynomial and
 * adds only numbers of one sign; the paper's EXTEND and UNWIND subtract, and lose digits on deep trees.
 */
export function treeShap({ init, trees }: Pick<BoostedTrees, 'init' | 'trees'>): Contributions {
  const paths = treePaths(trees);
  const rules = Array.from({ length: paths.longest + 1 }, (_, length) => pathRule(length));
  const scratch = createScratch(paths.longest);
  return {
    base: init + expectedValue(paths),
    add: (row, out) => {
      for (let leaf = 0; leaf < paths.value.length; leaf++) addLeaf(paths, leaf, rules, scratch, row, out);
    },
  };
}

/** Mean leaf value over the training weights. */
function expectedValue({ value, starts, share }: TreePaths): number {
  return value.reduce(
    (sum, leaf, index) => sum + share.subarray(starts[index], starts[index + 1]).reduce((a, b) => a * b, leaf),
    0,
  );
}

/** Quadrature for paths of one length; `falling[u * points + q]` is weight_q · (1 − t_q)ᵘ. */
interface PathRule {
  readonly points: Float64Array;
  readonly falling: Float64Array;
}

function pathRule(length: number): PathRule {
  const { points, weights } = gaussLegendre(Math.ceil(length / 2));
  const falling = Float64Array.from({ length: (length + 1) * points.length }, (_, index) => {
    const q = index % points.length;
    return weights[q]! * (1 - points[q]!) ** Math.floor(index / points.length);
  });
  return { points, falling };
}

const createScratch = (longest: number) => ({
  /** The conditions of a path: those that the row meets from the front, the others from the end. */
  sorted: new Uint32Array(longest),
  factor: new Float64Array(longest),
  integral: new Float64Array(longest),
});

function addLeaf(
  { value, starts, feature, lower, upper, missing, share }: TreePaths,
  leaf: number,
  rules: readonly PathRule[],
  { sorted, factor, integral }: ReturnType<typeof createScratch>,
  row: Float32Array,
  out: Float64Array,
): void {
  const start = starts[leaf]!;
  const length = starts[leaf + 1]! - start;
  let met = 0;
  let unmet = 0;
  let scale = value[leaf]!;
  for (let condition = start; condition < start + length; condition++) {
    const x = row[feature[condition]!]!;
    const holds = x !== x ? missing[condition] === 1 : !(x <= lower[condition]!) && x <= upper[condition]!;
    if (holds) sorted[met++] = condition;
    else {
      sorted[length - ++unmet] = condition;
      scale *= share[condition]!;
    }
  }

  const { points, falling } = rules[length]!;
  let unmetIntegral = 0;
  for (let k = 0; k < met; k++) integral[k] = 0;
  for (let q = 0; q < points.length; q++) {
    const t = points[q]!;
    let product = 1;
    for (let k = 0; k < met; k++) product *= factor[k] = t + (1 - t) * share[sorted[k]!]!;
    if (unmet > 0) unmetIntegral += falling[(unmet - 1) * points.length + q]! * product;
    product *= falling[unmet * points.length + q]!;
    for (let k = 0; k < met; k++) integral[k]! += product / factor[k]!;
  }

  for (let k = 0; k < met; k++) out[feature[sorted[k]!]!]! += scale * (1 - share[sorted[k]!]!) * integral[k]!;
  for (let k = met; k < length; k++) out[feature[sorted[k]!]!]! -= scale * unmetIntegral;
}
