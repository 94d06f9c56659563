import type { BoostedTrees, LinearModel, TrainedModel, Tree } from '../model.ts';
import { cast } from './expression-nodes.ts';
import { attribute, tensor, type Graph } from './graph.ts';

const MAX_FLOAT32 = 3.4028234663852886e38;

/** Adds the model's nodes. @param matrix a float [N, columns] value @returns the log-odds, a double [N, 1] value */
export function logOddsNodes(graph: Graph, model: TrainedModel, matrix: string): string {
  // In double, sums of many leaves do not depend on their order, and probabilities equal ours to the last float32 bit.
  const doubles = cast(graph, matrix, 'double');
  return model.kind === 'gradient_boosting' ? treeNodes(graph, model, doubles) : linearNodes(graph, model, doubles);
}

function linearNodes(graph: Graph, model: LinearModel, matrix: string): string {
  const width = model.columns.length;
  const row = (values: readonly number[]) => graph.constant(tensor.double(values, [1, width]));
  const column = (values: readonly number[]) => graph.constant(tensor.double(values, [width, 1]));
  const isMissing = graph.node('IsNaN', [matrix]);
  const imputed = graph.node('Where', [isMissing, row(model.impute), matrix]);
  const centred = graph.node('Sub', [imputed, row(model.mean)]);
  const factors = model.coefficients.map((coefficient, index) => coefficient / model.scale[index]!);
  const sum = graph.node('MatMul', [centred, column(factors)]);
  const logOdds = graph.node('Add', [sum, graph.constant(tensor.double([model.intercept], [1, 1]))]);
  if (model.missing.length === 0) return logOdds;
  const missing = new Array<number>(width).fill(0);
  for (const indicator of model.missing) missing[indicator.column]! += indicator.coefficient;
  return graph.node('Add', [logOdds, graph.node('MatMul', [cast(graph, isMissing, 'double'), column(missing)])]);
}

function treeNodes(graph: Graph, model: BoostedTrees, matrix: string): string {
  // TreeEnsemble cannot hold a tree of one leaf: what those add is part of the constant.
  const [stumps, trees] = partition(model.trees, (tree) => tree.feature[0] === -1);
  const constant = stumps.reduce((sum, tree) => sum + tree.value[0]!, model.init);
  const attributes = ensembleAttributes(trees.length > 0 ? trees : [ZERO_TREE]);
  const sum = graph.node('ai.onnx.ml:TreeEnsemble', [matrix], attributes);
  return graph.node('Add', [sum, graph.constant(tensor.double([constant], [1, 1]))]);
}

/** Adds nothing, but gives a model without splits its rows. */
const ZERO_TREE: Tree = {
  feature: [0, -1, -1],
  threshold: [0, 0, 0],
  left: [1, -1, -1],
  right: [2, -1, -1],
  missing_left: [1, 0, 0],
  value: [0, 0, 0],
  cover: [0, 0, 0],
};

/** Attributes of ai.onnx.ml 5 TreeEnsemble, which numbers inner nodes and leaves of all trees apart. */
function ensembleAttributes(trees: readonly Tree[]) {
  const roots: number[] = [];
  const nodes = {
    feature: [],
    split: [],
    left: [],
    leftIsLeaf: [],
    right: [],
    rightIsLeaf: [],
    missingLeft: [],
  } as Record<NodeField, number[]>;
  const leaves: number[] = [];
  for (const tree of trees) {
    roots.push(nodes.feature.length);
    const number = numberNodes(tree, nodes.feature.length, leaves.length);
    tree.feature.forEach((feature, node) => {
      if (feature < 0) return void leaves.push(tree.value[node]!);
      const [left, right] = [tree.left[node]!, tree.right[node]!];
      nodes.feature.push(feature);
      nodes.split.push(Math.max(-MAX_FLOAT32, Math.min(MAX_FLOAT32, tree.threshold[node]!)));
      nodes.left.push(number[left]!);
      nodes.leftIsLeaf.push(Number(tree.feature[left]! < 0));
      nodes.right.push(number[right]!);
      nodes.rightIsLeaf.push(Number(tree.feature[right]! < 0));
      nodes.missingLeft.push(tree.missing_left[node]!);
    });
  }
  const BRANCH_LEQ = 0;
  return [
    attribute.int('n_targets', 1),
    attribute.int('aggregate_function', 1),
    attribute.int('post_transform', 0),
    attribute.ints('tree_roots', roots),
    attribute.ints('nodes_featureids', nodes.feature),
    attribute.tensor(
      'nodes_modes',
      tensor.uint8(
        nodes.feature.map(() => BRANCH_LEQ),
        [nodes.feature.length],
      ),
    ),
    attribute.tensor('nodes_splits', tensor.double(nodes.split, [nodes.split.length])),
    attribute.ints('nodes_truenodeids', nodes.left),
    attribute.ints('nodes_trueleafs', nodes.leftIsLeaf),
    attribute.ints('nodes_falsenodeids', nodes.right),
    attribute.ints('nodes_falseleafs', nodes.rightIsLeaf),
    attribute.ints('nodes_missing_value_tracks_true', nodes.missingLeft),
    attribute.ints(
      'leaf_targetids',
      leaves.map(() => 0),
    ),
    attribute.tensor('leaf_weights', tensor.double(leaves, [leaves.length])),
  ];
}

type NodeField = 'feature' | 'split' | 'left' | 'leftIsLeaf' | 'right' | 'rightIsLeaf' | 'missingLeft';

/** The ensemble's number of every node of a tree: inner nodes from `firstNode`, leaves from `firstLeaf`. */
function numberNodes(tree: Tree, firstNode: number, firstLeaf: number): number[] {
  return tree.feature.map((feature) => (feature < 0 ? firstLeaf++ : firstNode++));
}

function partition<T>(items: readonly T[], test: (item: T) => boolean): [T[], T[]] {
  return [items.filter(test), items.filter((item) => !test(item))];
}
