import protobuf from 'protobufjs/light.js';
import { attribute, createGraph, tensor, TYPE } from './graph.ts';
import { decodeOpset, decodeValueInfo, encodeGraph } from './messages.ts';
import type { ReadValueInfo } from './read.ts';

/** Which inputs of a model file go into which packed one, in which order. */
export interface PackedLayout {
  /** Each is float [N, 1] in the file. */
  readonly numbers: readonly string[];
  /** string [N, 1] */
  readonly texts: readonly string[];
  /** int64 [N, 1] */
  readonly integers: readonly string[];
}
/** The packed inputs, each [N, names of its kind]; there is none for a kind without names. */
export const PACKED = { numbers: '/packed/numbers', texts: '/packed/texts', integers: '/packed/integers' } as const;

const KINDS = ['numbers', 'texts', 'integers'] as const;
const ELEMENT = { numbers: 'float', texts: 'string', integers: 'int64' } as const;
const FIRST_OPSET = 13; // of Split with its sizes as an input
// Field numbers of onnx-ml.proto.
const GRAPH_OF_MODEL = 7;
const OPSET_OF_MODEL = 8;
const INPUT_OF_GRAPH = 11;

/**
 * The same model with at most three packed inputs, for each input of a file costs about 1.5 µs per run. All else stays
 * byte for byte. null when the file's inputs are not exactly those of the layout, it is too old, or it is no model.
 */
export function packInputs(onnx: Uint8Array, layout: PackedLayout): Uint8Array | null {
  const file = Buffer.from(onnx.buffer, onnx.byteOffset, onnx.byteLength);
  const parts = partsOf(file);
  if (!parts || parts.opset < FIRST_OPSET || !areThose(parts.inputs, layout) || file.includes('/packed/')) return null;
  const { graph, inputFields } = parts;
  const content = [splitting(layout), ...without(inputFields, file, graph)];
  const length = content.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const head = protobuf.Writer.create()
    .uint32(GRAPH_OF_MODEL * 8 + LENGTH)
    .uint32(length)
    .finish();
  return Buffer.concat([file.subarray(0, graph.start), head, ...content, file.subarray(graph.end)]);
}

/** A field of a message that has a length: from its tag, and from its content, to its end. */
interface Field {
  readonly id: number;
  readonly start: number;
  readonly from: number;
  readonly end: number;
}
const LENGTH = 2; // the wire type

/** null where ONNX Runtime has to say what is wrong with the file. */
function partsOf(file: Buffer) {
  try {
    const content = ({ from, end }: Field) => file.subarray(from, end);
    const model = fieldsOf(file, 0, file.length);
    const [graph, ...others] = model.filter(({ id }) => id === GRAPH_OF_MODEL);
    if (!graph || others.length > 0) return null;
    const opsets = model.filter(({ id }) => id === OPSET_OF_MODEL).map((field) => decodeOpset(content(field)));
    const own = opsets.find(({ domain = '' }) => domain === '' || domain === 'ai.onnx');
    const inputFields = fieldsOf(file, graph.from, graph.end).filter(({ id }) => id === INPUT_OF_GRAPH);
    const inputs = inputFields.map((field) => decodeValueInfo(content(field)));
    return { graph, opset: own?.version ?? 0, inputFields, inputs };
  } catch {
    return null;
  }
}

function fieldsOf(file: Buffer, start: number, end: number): Field[] {
  const fields: Field[] = [];
  const reader = protobuf.Reader.create(file);
  reader.pos = start;
  while (reader.pos < end) {
    const at = reader.pos;
    const tag = reader.uint32();
    if (tag % 8 !== LENGTH) {
      reader.skipType(tag % 8);
      continue;
    }
    const length = reader.uint32();
    const from = reader.pos;
    reader.skip(length);
    fields.push({ id: tag >>> 3, start: at, from, end: reader.pos });
  }
  if (reader.pos !== end) throw new RangeError('a field ends behind its message');
  return fields;
}

function areThose(inputs: readonly ReadValueInfo[], layout: PackedLayout): boolean {
  const elements = new Map(KINDS.flatMap((kind) => layout[kind].map((name) => [name, TYPE[ELEMENT[kind]]] as const)));
  const names = new Set(inputs.map(({ name }) => name));
  const isComplete = inputs.length === elements.size && names.size === elements.size;
  return isComplete && inputs.every((input) => isColumn(input, elements.get(input.name ?? '')));
}

/** Is it [N, 1] with any number of rows? */
function isColumn({ type }: ReadValueInfo, element: number | undefined): boolean {
  const { elemType, shape } = type?.tensorType ?? {};
  const [rows, columns, ...more] = shape?.dim ?? [];
  return elemType === element && rows?.dimValue === undefined && columns?.dimValue === 1 && more.length === 0;
}

function without(removed: readonly Field[], file: Buffer, { from, end }: Field): Buffer[] {
  const starts = [from, ...removed.map((field) => field.end)];
  const ends = [...removed.map((field) => field.start), end];
  return starts.map((start, index) => file.subarray(start, ends[index]));
}

/** Fields of a graph: the packed inputs, and nodes that give the old ones back. They stand before all other nodes. */
function splitting(layout: PackedLayout): Uint8Array {
  const { parts, input } = createGraph();
  for (const kind of KINDS) {
    const names = layout[kind];
    if (names.length === 0) continue;
    const packed = input(PACKED[kind], ELEMENT[kind], [null, names.length]);
    const sizes = { ...tensor.int64(Array<number>(names.length).fill(1), [names.length]), name: `${packed}_sizes` };
    parts.initializer.push(sizes);
    const [name, attributes] = [`${packed}_split`, [attribute.int('axis', 1)]];
    parts.node.push({ name, opType: 'Split', input: [packed, sizes.name], output: names, attribute: attributes });
  }
  return encodeGraph(parts);
}
