import { encodingOf } from '../feature-matrix.ts';
import type { CategoricalEncoding, FittedFeatures, InputColumn } from '../features.ts';
import { attribute, type Graph } from './graph.ts';
import type { Int64Parts } from './messages.ts';

/** What stands for a missing integer category: the smallest int64. */
export const MISSING_INTEGER: Int64Parts = { low: 0, high: -0x8000_0000, unsigned: false };

/**
 * One model input of shape [N, 1] per feature, by name. Answers the float [N, 1] value that holds each feature's matrix
 * column. Other layouts (all numbers packed in one input) can answer the same map; the rest of the graph reads only it.
 */
export function namedInputColumns(graph: Graph, features: FittedFeatures): Map<string, string> {
  return new Map(features.inputs.map((input) => [input.name, inputColumn(graph, features, input)]));
}

function inputColumn(graph: Graph, features: FittedFeatures, { name, type }: InputColumn): string {
  switch (type) {
    case 'numeric':
    case 'boolean':
      return graph.input(name, 'float', [null, 1]);
    case 'categorical_string':
      return labelEncoder(graph, graph.input(name, 'string', [null, 1]), stringKeys(encodingOf(features, name)));
    case 'categorical_integer':
      return labelEncoder(graph, graph.input(name, 'int64', [null, 1]), integerKeys(encodingOf(features, name)));
  }
}

// Unknown and missing categories get the default. An encoder needs a key, so an empty one maps "missing" to NaN.
function labelEncoder(graph: Graph, input: string, { keys, codes }: ReturnType<typeof stringKeys>): string {
  const values = attribute.floats('values_floats', codes.length > 0 ? codes : [NaN]);
  return graph.node('ai.onnx.ml:LabelEncoder', [input], [keys, values, attribute.float('default_float', NaN)]);
}

function stringKeys({ column, categories, codes }: CategoricalEncoding) {
  const keys = categories.filter((category) => typeof category === 'string');
  if (keys.length !== codes.length) throw new RangeError(`encoding of '${column}': categories must be strings`);
  return { keys: attribute.strings('keys_strings', keys.length > 0 ? keys : ['']), codes };
}

function integerKeys({ column, categories, codes }: CategoricalEncoding) {
  const keys = categories.filter((category) => Number.isSafeInteger(category)) as number[];
  if (keys.length !== codes.length) throw new RangeError(`encoding of '${column}': categories must be integers`);
  return { keys: attribute.ints('keys_int64s', keys.length > 0 ? keys : [MISSING_INTEGER]), codes };
}
