/* eslint-disable @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-call -- messages are changed at any depth */
import protobuf from 'protobufjs/light.js';
import descriptor from '../../../ml/onnx/onnx-ml.json' with { type: 'json' };

// ONNX files as a stranger might write them. Messages are plain objects with the names of onnx-ml.proto in camelCase.

// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Message = Record<string, any>;
const modelType = protobuf.Root.fromJSON(descriptor).lookupType('onnx.ModelProto');
export const encode = (model: Message): Uint8Array => modelType.encode(model).finish();

export const FLOAT = 1;
export const INT64 = 7;
export const STRING = 8;
const N = { dimParam: 'N' };
export const value = (name: string, elemType: number, dim: Message[]) => ({
  name,
  type: { tensorType: { elemType, shape: { dim } } },
});
export const floats = (name: string, values: readonly number[], dims = [values.length]): Message => ({
  name,
  dims,
  dataType: FLOAT,
  rawData: new Uint8Array(Float32Array.from(values).buffer),
});
export const integers = (name: string, values: readonly number[], dims = [values.length]): Message => ({
  name,
  dims,
  dataType: INT64,
  rawData: new Uint8Array(BigInt64Array.from(values, BigInt).buffer),
});
const texts = (name: string, values: readonly string[]): Message => ({
  name,
  dims: [values.length],
  dataType: STRING,
  stringData: values.map((text) => Buffer.from(text)),
});
export const node = (opType: string, input: string[], output: string[], ...attribute: Message[]): Message => ({
  opType,
  input,
  output,
  attribute,
});
export const int = (name: string, i: number): Message => ({ name, type: 2, i });
export const tensorAttribute = (name: string, t: Message): Message => ({ name, type: 4, t });
export const graphAttribute = (name: string, g: Message): Message => ({ name, type: 5, g });

export const SIGNATURE = {
  inputs: [
    { name: 'age', type: 'numeric', nullable: false },
    { name: 'plan', type: 'categorical_string', nullable: true },
  ],
  classes: { negative: 'no', positive: 'yes' },
  decision: { negative: 'ACCEPT', positive: 'REJECT' },
  threshold: 0.5,
};

/** A model that may be served: sigmoid(age × weight), whatever the plan. `nodes` may compute `weight`; without them it is 0.01. */
export function foreignModel(nodes: Message[] = [], initializers: Message[] = []): Message {
  return {
    irVersion: 10,
    producerName: 'somebody',
    opsetImport: [
      { domain: '', version: 21 },
      { domain: 'ai.onnx.ml', version: 5 },
    ],
    metadataProps: [{ key: 'signature', value: JSON.stringify(SIGNATURE) }],
    graph: {
      name: 'model',
      input: [value('age', FLOAT, [N, { dimValue: 1 }]), value('plan', STRING, [N, { dimValue: 1 }])],
      node: [
        ...nodes,
        node('Mul', ['age', 'weight'], ['log_odds']),
        node('Sigmoid', ['log_odds'], ['column']),
        node('Reshape', ['column', 'all'], ['probability']),
        node('GreaterOrEqual', ['probability', 'threshold'], ['is_positive']),
        node('Where', ['is_positive', 'yes', 'no'], ['label']),
        node('Where', ['is_positive', 'reject', 'accept'], ['decision']),
      ],
      initializer: [
        ...(nodes.length > 0 ? [] : [floats('weight', [0.01])]),
        ...initializers,
        integers('all', [-1]),
        floats('threshold', [0.5]),
        texts('yes', ['yes']),
        texts('no', ['no']),
        texts('reject', ['REJECT']),
        texts('accept', ['ACCEPT']),
      ],
      output: [value('label', STRING, [N]), value('probability', FLOAT, [N]), value('decision', STRING, [N])],
    },
  };
}

/** `weight` from a constant that the graph fills with ones: `shape` says how large it is. */
export const filled = (shape: readonly number[]): Message =>
  foreignModel(
    [
      node('ConstantOfShape', ['shape'], ['ones'], tensorAttribute('value', floats('', [1]))),
      node('ReduceMax', ['ones'], ['weight'], int('keepdims', 0)),
    ],
    [integers('shape', shape)],
  );

/** Multiplies large matrices, one after the other. */
export const slow = (steps: number): Message =>
  foreignModel(
    [
      node('ConstantOfShape', ['shape'], ['m0'], tensorAttribute('value', floats('', [1]))),
      ...Array.from({ length: steps }, (_, step) => node('MatMul', [`m${step}`, `m${step}`], [`m${step + 1}`])),
      node('ReduceMax', [`m${steps}`], ['weight'], int('keepdims', 0)),
    ],
    [integers('shape', [2000, 2000])],
  );

/** A graph in a branch of an If in a graph in a branch of an If … */
export function nested(depth: number): Message {
  const constant = {
    initializer: [floats('c', [0.01])],
    node: [node('Identity', ['c'], ['r'])],
    output: [{ name: 'r' }],
  };
  const inside = (level: number): Message =>
    level === 0 ? constant : { node: [branches(inside(level - 1), 'r')], output: [{ name: 'r' }] };
  const branches = (graph: Message, output: string) =>
    node('If', ['yes_please'], [output], graphAttribute('then_branch', graph), graphAttribute('else_branch', constant));
  const model = foreignModel([branches(inside(depth - 1), 'weight')]);
  model.graph.initializer.push({ name: 'yes_please', dims: [], dataType: 9, rawData: Uint8Array.of(1) });
  return model;
}
