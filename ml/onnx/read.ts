import protobuf from 'protobufjs/light.js';
import descriptor from './onnx-ml.json' with { type: 'json' };

/** Why a model file is refused: the rule it breaks, and where. */
export class RefusedModel extends Error {
  override readonly name = 'RefusedModel';
  /** As onnx-ml.proto names it: `graph.node[12].attribute[0].t`; empty for the file itself. */
  readonly path: string;
  readonly rule: string;

  constructor(path: string, rule: string, message: string) {
    super(message);
    this.path = path;
    this.rule = rule;
  }
}

/** A list of numbers: how many, and the first few. */
export interface ReadNumbers {
  readonly count: number;
  readonly first: readonly number[];
}
/** A list of bytes or of text of any length: only how many. */
export interface ReadChunks {
  readonly count: number;
}
export interface ReadTensor {
  readonly name?: string;
  readonly dims?: ReadNumbers;
  readonly dataType?: number;
  readonly segment?: object;
  readonly floatData?: ReadNumbers;
  readonly int32Data?: ReadNumbers;
  readonly stringData?: ReadChunks;
  readonly int64Data?: ReadNumbers;
  readonly rawData?: Uint8Array;
  readonly externalData?: readonly object[];
  readonly dataLocation?: number;
  readonly doubleData?: ReadNumbers;
  readonly uint64Data?: ReadNumbers;
}
export interface ReadAttribute {
  readonly name?: string;
  readonly refAttrName?: string;
  readonly t?: ReadTensor;
  readonly g?: ReadGraph;
  readonly sparseTensor?: object;
  readonly tensors?: readonly ReadTensor[];
  readonly graphs?: readonly ReadGraph[];
  readonly sparseTensors?: readonly object[];
}
export interface ReadNode {
  readonly input?: readonly string[];
  readonly output?: readonly string[];
  readonly opType?: string;
  readonly domain?: string;
  readonly attribute?: readonly ReadAttribute[];
}
export interface ReadValueInfo {
  readonly name?: string;
  readonly type?: {
    readonly tensorType?: {
      readonly elemType?: number;
      readonly shape?: { readonly dim?: readonly { readonly dimValue?: number }[] };
    };
  };
}
export interface ReadGraph {
  readonly node?: readonly ReadNode[];
  readonly initializer?: readonly ReadTensor[];
  readonly sparseInitializer?: readonly object[];
  readonly input?: readonly ReadValueInfo[];
  readonly output?: readonly ReadValueInfo[];
}
export interface ReadModel {
  readonly irVersion?: number;
  readonly opsetImport?: readonly { readonly domain?: string; readonly version?: number }[];
  readonly graph?: ReadGraph;
  readonly metadataProps?: readonly { readonly key?: string; readonly value?: string }[];
  readonly trainingInfo?: readonly object[];
  readonly functions?: readonly object[];
}

const MAX_NESTING = 40; // messages inside messages; a graph inside a graph takes three
const MAX_ELEMENTS = 1_000_000; // messages and names
const MAX_TEXT = 2 ** 20; // bytes of a doc string, a metadata value or an element of a list
const MAX_NAME = 1024;
const KEPT_NUMBERS = 16;
const LONG_TEXTS = new Set(['docString', 'value']);

const modelType = protobuf.Root.fromJSON(descriptor).resolveAll().lookupType('onnx.ModelProto');
const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads a model file from a stranger. Stricter than any other reader, so that no other reader can see something else in
 * it: every field must be known and of its own type, and single fields may come once. Long data stays where it is.
 * @throws RefusedModel
 */
export function readModel(bytes: Uint8Array): ReadModel {
  // ONNX Runtime would take it for its own format, whatever else it may be.
  if (Buffer.from(bytes.subarray(4, 8)).toString('latin1') === 'ORTM') {
    throw new RefusedModel('', 'format', 'is in the ORT format; send the ONNX file it was made from');
  }
  return new Reader(bytes).message(modelType, bytes.length, '', 0);
}

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  #elements = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  message(type: protobuf.Type, end: number, path: string, depth: number): Record<string, unknown> {
    if (depth > MAX_NESTING) throw new RefusedModel(path, 'nesting', `is nested more than ${MAX_NESTING} deep`);
    const message: Record<string, unknown> = {};
    while (this.#at < end) {
      const tag = this.#varint(end, path);
      const field = type.fieldsById[Math.floor(tag / 8)];
      if (!field) {
        throw new RefusedModel(path, 'known_field', `has a field that ONNX's ${type.name} does not define`);
      }
      const place = `${path}${path && '.'}${protoName(field.name)}`;
      if (field.repeated) this.#listed(message, field, tag % 8, end, place, depth);
      else if (message[field.name] !== undefined) throw new RefusedModel(place, 'once', 'is given more than once');
      else message[field.name] = this.#single(field, tag % 8, end, place, depth);
    }
    return message;
  }

  #single(field: protobuf.Field, wire: number, end: number, path: string, depth: number): unknown {
    if (wire !== wireOf(field)) throw new RefusedModel(path, 'wire_type', `is not a ${field.type} on the wire`);
    if (wire !== LENGTH) return this.#number(field, end, path);
    const stop = this.#length(end, path);
    if (field.resolvedType instanceof protobuf.Type) {
      this.#count(path);
      return this.message(field.resolvedType, stop, path, depth + 1);
    }
    const chunk = this.#bytes.subarray(this.#at, stop);
    this.#at = stop;
    if (field.type === 'bytes') return chunk;
    this.#count(path);
    const most = LONG_TEXTS.has(field.name) ? MAX_TEXT : MAX_NAME;
    if (chunk.length > most) throw new RefusedModel(path, 'text_length', `is longer than ${most} bytes`);
    return textOf(chunk, path);
  }

  #listed(
    message: Record<string, unknown>,
    field: protobuf.Field,
    wire: number,
    end: number,
    path: string,
    depth: number,
  ) {
    if (field.resolvedType instanceof protobuf.Type || field.type === 'string') {
      const list = (message[field.name] ??= []) as unknown[];
      list.push(this.#single(field, wire, end, `${path}[${list.length}]`, depth));
    } else if (field.type === 'bytes') {
      const list = (message[field.name] ??= { count: 0 }) as { count: number };
      const place = `${path}[${list.count++}]`;
      const { length } = this.#single(field, wire, end, place, depth) as Uint8Array;
      if (length > MAX_TEXT) throw new RefusedModel(place, 'text_length', `is longer than ${MAX_TEXT} bytes`);
    } else {
      const list = (message[field.name] ??= { count: 0, first: [] }) as { count: number; first: number[] };
      const packed = wire === LENGTH;
      if (!packed && wire !== wireOf(field)) {
        throw new RefusedModel(path, 'wire_type', `is not a list of ${field.type} on the wire`);
      }
      const stop = packed ? this.#length(end, path) : this.#at + 1;
      while (this.#at < stop) {
        const value = this.#number(field, packed ? stop : end, path);
        if (list.count++ < KEPT_NUMBERS) list.first.push(value);
      }
    }
  }

  #number(field: protobuf.Field, end: number, path: string): number {
    switch (wireOf(field)) {
      case FIXED32:
        this.#skip(4, end, path);
        return this.#view.getFloat32(this.#at - 4, true);
      case FIXED64:
        this.#skip(8, end, path);
        return this.#view.getFloat64(this.#at - 8, true);
    }
    const value = this.#varint(end, path);
    // Another reader would keep the lowest bits, and see another number than we.
    if (field.type.endsWith('int64') || (value >= -0x80000000 && value <= 0x7fffffff)) return value;
    throw new RefusedModel(path, 'range', 'does not fit 32 bits');
  }

  /** As a signed 64-bit number, rounded where a double cannot hold it. */
  #varint(end: number, path: string): number {
    let value = 0;
    for (let index = 0, scale = 1; index < 10; index++, scale *= 128) {
      if (this.#at >= end) throw truncated(path);
      const byte = this.#bytes[this.#at++]!;
      value += (byte & 0x7f) * scale;
      if (index === 9 && byte > 1) break;
      if (byte < 0x80) return value < 2 ** 63 ? value : value - 2 ** 64 || -1;
    }
    throw new RefusedModel(path, 'varint', 'holds a number of more than 64 bits');
  }

  #length(end: number, path: string): number {
    const length = this.#varint(end, path);
    if (length < 0 || length > end - this.#at) throw truncated(path);
    return this.#at + length;
  }

  #skip(count: number, end: number, path: string): void {
    if (count > end - this.#at) throw truncated(path);
    this.#at += count;
  }

  #count(path: string): void {
    if (++this.#elements > MAX_ELEMENTS) {
      throw new RefusedModel(path, 'elements', `is one of more than ${MAX_ELEMENTS} parts and names of the file`);
    }
  }
}

const [VARINT, FIXED64, LENGTH, FIXED32] = [0, 1, 2, 5];

function wireOf(field: protobuf.Field): number {
  if (field.resolvedType instanceof protobuf.Type || field.type === 'string' || field.type === 'bytes') return LENGTH;
  return field.type === 'double' ? FIXED64 : field.type === 'float' ? FIXED32 : VARINT;
}

function textOf(chunk: Uint8Array, path: string): string {
  try {
    return utf8.decode(chunk);
  } catch {
    throw new RefusedModel(path, 'utf8', 'is not text in UTF-8');
  }
}

const protoName = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const truncated = (path: string) => new RefusedModel(path, 'truncated', 'ends before its content does');
