import { parseDerived } from '../feature-matrix.ts';
import { matrixColumns, type FittedFeatures } from '../features.ts';
import type { TrainedModel } from '../model.ts';
import type { ModelSignature } from '../signature.ts';
import { cast, expressionNodes } from './expression-nodes.ts';
import { attribute, createGraph, tensor, type Graph } from './graph.ts';
import { namedInputColumns } from './input-columns.ts';
import { encodeModel } from './messages.ts';
import { logOddsNodes } from './model-nodes.ts';
import { OUTPUTS } from './outputs.ts';

// ai.onnx.ml 5 brought TreeEnsemble in double precision; opset 21 and IR 10 are of the same release (ONNX 1.16).
const IR_VERSION = 10;
const OPSETS = [
  { domain: '', version: 21 },
  { domain: 'ai.onnx.ml', version: 5 },
];

export interface OnnxSource {
  readonly model: TrainedModel;
  readonly features: FittedFeatures;
  readonly signature: ModelSignature;
  /** Goes into the file's metadata, beside `signature` (JSON). */
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * One ONNX file from raw features to decision. Inputs, each [N, 1]: numbers and booleans (0/1) as float with NaN for
 * missing; string categories with "" for missing; integer categories as int64 with −2^63 for missing. Outputs, each [N]:
 * `label` (string), `probability` of the positive class (float), `decision` (string).
 * @throws RangeError when the parts do not fit each other
 */
export function writeOnnx({ model, features, signature, metadata }: OnnxSource): Uint8Array {
  checkParts(model, features, signature);
  const graph = createGraph();
  const columns = namedInputColumns(graph, features);
  const matrix = matrixNodes(graph, features, columns);
  outputNodes(graph, logOddsNodes(graph, model, matrix), signature);
  const properties = { ...metadata, signature: JSON.stringify(signature) };
  return encodeModel({
    irVersion: IR_VERSION,
    producerName: 'anneal',
    opsetImport: OPSETS,
    metadataProps: Object.entries(properties).map(([key, value]) => ({ key, value })),
    graph: { name: 'anneal', ...graph.parts },
  });
}

/** Adds the derived features and joins all columns, in the order of `matrixColumns`, to a float [N, columns] value. */
function matrixNodes(graph: Graph, features: FittedFeatures, inputs: ReadonlyMap<string, string>): string {
  const doubles = new Map<string, string>();
  const doubleColumn = (name: string) => {
    const value = doubles.get(name) ?? cast(graph, inputs.get(name)!, 'double');
    doubles.set(name, value);
    return value;
  };
  const derived = parseDerived(features).map(({ expression }) => expressionNodes(graph, expression, doubleColumn));
  return graph.node('Concat', [...inputs.values(), ...derived], [attribute.int('axis', 1)]);
}

function outputNodes(graph: Graph, logOdds: string, { classes, decision, threshold }: ModelSignature): void {
  const [label, probability, decided] = OUTPUTS;
  const flat = graph.constant(tensor.int64([-1], [1]));
  graph.node('Reshape', [cast(graph, graph.node('Sigmoid', [logOdds]), 'float'), flat], [], probability);
  const isPositive = graph.node('GreaterOrEqual', [probability, graph.constant(tensor.float([threshold], []))]);
  const choose = (output: string, { positive, negative }: { positive: string; negative: string }) =>
    graph.node('Where', [isPositive, text(graph, positive), text(graph, negative)], [], output);
  choose(label, classes);
  choose(decided, decision);
  graph.output(label, 'string', [null]);
  graph.output(probability, 'float', [null]);
  graph.output(decided, 'string', [null]);
}

const text = (graph: Graph, value: string) => graph.constant(tensor.strings([value], [1]));

function checkParts(model: TrainedModel, features: FittedFeatures, signature: ModelSignature): void {
  const columns = matrixColumns(features);
  if (!same(model.columns, columns)) {
    throw new RangeError(
      `the model's columns (${model.columns.join(', ')}) are not the features' (${columns.join(', ')})`,
    );
  }
  const inputs = signature.inputs.map((input) => input.name);
  if (
    !same(
      inputs,
      features.inputs.map((input) => input.name),
    )
  ) {
    throw new RangeError(`the signature's inputs (${inputs.join(', ')}) are not the features'`);
  }
  const taken = OUTPUTS.find((name) => inputs.includes(name));
  if (taken) throw new RangeError(`a feature cannot be named '${taken}': an output of the model has that name`);
}

const same = (a: readonly string[], b: readonly string[]) =>
  a.length === b.length && a.every((value, index) => value === b[index]);
