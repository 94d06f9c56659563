import type { AttributeProto, Int64Parts, NodeProto, TensorProto, ValueInfoProto } from './messages.ts';

/** Element types as TensorProto.DataType numbers them. */
export const TYPE = { float: 1, uint8: 2, int64: 7, string: 8, double: 11 } as const;
export type ElementType = keyof typeof TYPE;

/** Collects nodes. Values are passed about by name. */
export interface Graph {
  /** Declares a model input and answers its name. `null` in a shape is the number of rows. */
  input(this: void, name: string, type: ElementType, shape: readonly (number | null)[]): string;
  output(this: void, name: string, type: ElementType, shape: readonly (number | null)[]): void;
  /** Adds a node and answers the name of its only output: `output`, or a new one. */
  node(
    this: void,
    operator: Operator,
    inputs: readonly string[],
    attributes?: readonly AttributeProto[],
    output?: string,
  ): string;
  constant(this: void, tensor: TensorProto): string;
  readonly parts: {
    readonly node: NodeProto[];
    readonly initializer: TensorProto[];
    readonly input: ValueInfoProto[];
    readonly output: ValueInfoProto[];
  };
}

/** An operator of the default domain, or `ai.onnx.ml:<operator>`. */
type Operator = string;

export function createGraph(): Graph {
  const parts: Graph['parts'] = { node: [], initializer: [], input: [], output: [] };
  // Column names are identifiers, so a name that starts with a slash is free.
  const fresh = (what: string) => `/${what}_${parts.node.length + parts.initializer.length}`;
  return {
    parts,
    input: (name, type, shape) => {
      parts.input.push(valueInfo(name, type, shape));
      return name;
    },
    output: (name, type, shape) => void parts.output.push(valueInfo(name, type, shape)),
    node: (operator, inputs, attributes = [], output = undefined) => {
      const [opType, domain] = operator.split(':').reverse() as [string, string | undefined];
      const name = output ?? fresh(opType);
      parts.node.push({ name: `${name}_node`, opType, domain, input: inputs, output: [name], attribute: attributes });
      return name;
    },
    constant: (tensor) => {
      const name = fresh('constant');
      parts.initializer.push({ ...tensor, name });
      return name;
    },
  };
}

function valueInfo(name: string, type: ElementType, shape: readonly (number | null)[]): ValueInfoProto {
  const dim = shape.map((size) => (size === null ? { dimParam: 'N' } : { dimValue: size }));
  return { name, type: { tensorType: { elemType: TYPE[type], shape: { dim } } } };
}

// AttributeProto.AttributeType
export const attribute = {
  int: (name: string, i: number): AttributeProto => ({ name, type: 2, i }),
  float: (name: string, f: number): AttributeProto => ({ name, type: 1, f }),
  tensor: (name: string, t: TensorProto): AttributeProto => ({ name, type: 4, t }),
  floats: (name: string, floats: readonly number[]): AttributeProto => ({ name, type: 6, floats }),
  ints: (name: string, ints: readonly (number | Int64Parts)[]): AttributeProto => ({ name, type: 7, ints }),
  strings: (name: string, values: readonly string[]): AttributeProto => ({ name, type: 8, strings: values.map(utf8) }),
};

export const tensor = {
  double: (values: readonly number[], dims: readonly number[]) => numbers('double', dims, Float64Array.from(values)),
  float: (values: readonly number[], dims: readonly number[]) => numbers('float', dims, Float32Array.from(values)),
  uint8: (values: readonly number[], dims: readonly number[]) => numbers('uint8', dims, Uint8Array.from(values)),
  int64: (values: readonly number[], dims: readonly number[]) =>
    numbers('int64', dims, BigInt64Array.from(values, BigInt)),
  strings: (values: readonly string[], dims: readonly number[]): TensorProto => ({
    dims,
    dataType: TYPE.string,
    stringData: values.map(utf8),
  }),
};

const numbers = (type: ElementType, dims: readonly number[], values: ArrayBufferView): TensorProto => ({
  dims,
  dataType: TYPE[type],
  rawData: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
});

const utf8 = (text: string) => new TextEncoder().encode(text);
