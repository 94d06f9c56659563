import protobuf from 'protobufjs/light.js';
// Made from the vendored onnx-ml.proto (onnx 1.23.2): pbjs -t json ml/onnx/onnx-ml.proto -o ml/onnx/onnx-ml.json
import descriptor from './onnx-ml.json' with { type: 'json' };
import type { ReadModel, ReadValueInfo } from './read.ts';

/** The parts of ONNX's messages that we write, as onnx-ml.proto defines them; `Uint8Array` where it says bytes. */
export interface TensorProto {
  readonly name?: string;
  readonly dims: readonly number[];
  readonly dataType: number;
  /** Little-endian values; for every type but string. */
  readonly rawData?: Uint8Array;
  readonly stringData?: readonly Uint8Array[];
}
/** protobufjs takes this for an int64 that a number cannot hold. */
export interface Int64Parts {
  readonly low: number;
  readonly high: number;
  readonly unsigned: false;
}
export interface AttributeProto {
  readonly name: string;
  readonly type: number;
  readonly f?: number;
  readonly i?: number;
  readonly t?: TensorProto;
  readonly floats?: readonly number[];
  readonly ints?: readonly (number | Int64Parts)[];
  readonly strings?: readonly Uint8Array[];
}
export interface NodeProto {
  readonly name: string;
  readonly opType: string;
  readonly domain?: string;
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly attribute: readonly AttributeProto[];
}
export interface ValueInfoProto {
  readonly name: string;
  readonly type: {
    readonly tensorType: {
      readonly elemType: number;
      readonly shape: { readonly dim: readonly ({ readonly dimParam: string } | { readonly dimValue: number })[] };
    };
  };
}
export interface ModelProto {
  readonly irVersion: number;
  readonly producerName: string;
  readonly opsetImport: readonly { readonly domain: string; readonly version: number }[];
  readonly metadataProps: readonly { readonly key: string; readonly value: string }[];
  readonly graph: GraphProto & { readonly name: string };
}
export interface GraphProto {
  readonly node: readonly NodeProto[];
  readonly initializer: readonly TensorProto[];
  readonly input: readonly ValueInfoProto[];
  readonly output: readonly ValueInfoProto[];
}

const root = protobuf.Root.fromJSON(descriptor);
const [modelType, graphType, valueInfoType, opsetType] = (
  ['ModelProto', 'GraphProto', 'ValueInfoProto', 'OperatorSetIdProto'] as const
).map((name) => root.lookupType(`onnx.${name}`)) as [protobuf.Type, protobuf.Type, protobuf.Type, protobuf.Type];

export const encodeModel = (model: ModelProto): Uint8Array => modelType.encode(model).finish();
/** The fields of a graph without its tag and length, so that they can stand beside fields of another file's graph. */
export const encodeGraph = (graph: GraphProto): Uint8Array => graphType.encode(graph).finish();

// For parts of files that were checked (ml/onnx/read.ts) or will be by the runtime.
export const decodeValueInfo = (bytes: Uint8Array) => decode(valueInfoType, bytes) as ReadValueInfo;
export const decodeOpset = (bytes: Uint8Array) => decode(opsetType, bytes) as NonNullable<ReadModel['opsetImport']>[number]; // prettier-ignore
const decode = (type: protobuf.Type, bytes: Uint8Array): unknown =>
  type.toObject(type.decode(bytes), { longs: Number });
