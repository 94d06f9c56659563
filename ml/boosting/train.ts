import { baseLogOdds, classWeights, weightedLogLoss, type ClassWeights } from '../class-weights.ts';
import type { Matrix } from '../matrix.ts';
import type { BoostedTrees, Tree } from '../model.ts';
import { addTree } from '../predict.ts';
import type { ClassWeight, TrainHooks, TrainResult } from '../train-hooks.ts';
import { binMatrix } from './binning.ts';
import { createGradients, updateGradients } from './gradients.ts';
import { createTreeGrower, type GrownTree } from './grow.ts';
import { toTree } from './tree.ts';

export interface BoostingParams {
  /** At most this many; fewer when early stopping keeps fewer. */
  readonly trees: number;
  readonly learning_rate: number;
  readonly max_leaves: number;
  readonly min_rows_per_leaf: number;
  /** Added to the sum of second derivatives of a leaf. */
  readonly l2: number;
  readonly class_weight: ClassWeight;
  /** Stop after this many trees without a smaller validation log loss, and keep the trees up to the smallest. */
  readonly early_stopping_rounds: number;
}

const CHECKPOINT_EVERY = 25;

/**
 * Histogram gradient boosting on the log loss, one thread. The same rows and parameters give the same trees on every
 * machine. Throws a RangeError unless the training rows have both classes. Without validation rows all trees are kept.
 */
export function trainGradientBoosting(
  train: Matrix,
  validation: Matrix | null,
  params: BoostingParams,
  hooks: TrainHooks,
): TrainResult {
  const weights = classWeights(train.target, params.class_weight);
  const init = baseLogOdds(train.target, weights);
  const stopping = createStopping(validation, weights, init, params.early_stopping_rounds);
  const scores = new Float64Array(train.rows).fill(init);
  const trees: Tree[] = [];
  const model = (count: number): BoostedTrees => ({
    kind: 'gradient_boosting',
    columns: train.columns,
    init,
    trees: trees.slice(0, count),
  });
  const keep = (tree: Tree) => {
    trees.push(tree);
    stopping.add(tree);
  };

  for (const tree of hooks.resume?.trees ?? []) {
    addTree(tree, train, scores);
    keep(tree);
  }
  const binned = binMatrix(train);
  const gradients = createGradients(train.rows);
  const grow = createTreeGrower(binned, params);
  while (trees.length < params.trees && !stopping.stopped()) {
    const total = updateGradients(gradients, scores, train.target, weights);
    const grown = grow(gradients, total);
    const tree = toTree(grown, binned, train.target, weights, { ...params, unit: gradients.unit });
    addLeafValues(grown, tree, scores);
    keep(tree);
    hooks.onProgress?.({ iteration: trees.length, of: params.trees, validation_log_loss: stopping.loss() });
    if (trees.length % (hooks.checkpointEvery ?? CHECKPOINT_EVERY) === 0) hooks.onCheckpoint?.(model(trees.length));
  }
  const best = stopping.best();
  const kept = best?.trees ?? trees.length;
  return { model: model(kept), iterations: kept, validation_log_loss: best?.loss ?? NaN };
}

/** Validation scores tree by tree. Everything follows from the trees, so a resumed run replays them and stops at the same one. */
function createStopping(validation: Matrix | null, weights: ClassWeights, init: number, rounds: number) {
  const scores = new Float64Array(validation?.rows ?? 0).fill(init);
  let count = 0;
  let loss = NaN;
  let best: { trees: number; loss: number } | null = null;
  return {
    add(tree: Tree) {
      count++;
      if (!validation) return;
      addTree(tree, validation, scores);
      loss = weightedLogLoss(scores, validation.target, weights);
      if (!best || loss < best.loss) best = { trees: count, loss };
    },
    loss: () => loss,
    best: () => best,
    stopped: () => best !== null && count - best.trees >= rounds,
  };
}

function addLeafValues({ nodes, rows }: GrownTree, tree: Tree, scores: Float64Array): void {
  nodes.forEach(({ split, start, end }, node) => {
    if (split) return;
    const value = tree.value[node]!;
    for (let i = start; i < end; i++) scores[rows[i]!]! += value;
  });
}
