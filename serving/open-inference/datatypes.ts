/** The type of a tensor's elements in the Open Inference Protocol V2. */
export type Datatype = FixedDatatype | { readonly kind: 'text' };
/** Of elements of one size. */
export interface FixedDatatype {
  readonly kind: 'number' | 'boolean';
  /** Of one element. */
  readonly bytes: number;
  /** What an integer type can hold; null for the others. */
  readonly range: readonly [least: number, most: number] | null;
  /** Reads little-endian bytes; null is missing. An integer beyond 2^53 is rounded as JSON.parse would round it. */
  readonly read: (view: DataView, at: number) => number | boolean | null;
}
type Read = FixedDatatype['read'];

const TWO_32 = 2 ** 32;
const float = (bytes: number, read: Read): Datatype => ({ kind: 'number', bytes, range: null, read });
const signed = (bits: number, read: Read): Datatype => ({
  kind: 'number',
  bytes: bits / 8,
  range: [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1],
  read,
});
const unsigned = (bits: number, read: Read): Datatype => ({
  kind: 'number',
  bytes: bits / 8,
  range: [0, 2 ** bits - 1],
  read,
});

export const FP32 = float(4, (view, at) => orMissing(view.getFloat32(at, true)));

/** By name. FP16 and BF16 are not among them: their bits are no JSON, and little is saved. */
export const DATATYPES: ReadonlyMap<string, Datatype> = new Map<string, Datatype>([
  ['FP32', FP32],
  ['FP64', float(8, (view, at) => orMissing(view.getFloat64(at, true)))],
  ['INT8', signed(8, (view, at) => view.getInt8(at))],
  ['INT16', signed(16, (view, at) => view.getInt16(at, true))],
  ['INT32', signed(32, (view, at) => view.getInt32(at, true))],
  ['INT64', signed(64, readInt64)],
  ['UINT8', unsigned(8, (view, at) => view.getUint8(at))],
  ['UINT16', unsigned(16, (view, at) => view.getUint16(at, true))],
  ['UINT32', unsigned(32, (view, at) => view.getUint32(at, true))],
  ['UINT64', unsigned(64, (view, at) => view.getUint32(at + 4, true) * TWO_32 + view.getUint32(at, true))],
  ['BOOL', { kind: 'boolean', bytes: 1, range: null, read: readBoolean }],
  ['BYTES', { kind: 'text' }],
]);

function orMissing(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

// As in the model file, −2^63 is missing.
function readInt64(view: DataView, at: number): number | null {
  const [low, high] = [view.getUint32(at, true), view.getInt32(at + 4, true)];
  return low === 0 && high === -(2 ** 31) ? null : high * TWO_32 + low;
}

// Any other byte stays a number, and is refused as no boolean.
function readBoolean(view: DataView, at: number): number | boolean {
  const byte = view.getUint8(at);
  return byte > 1 ? byte : byte === 1;
}

/** Names of the types whose elements are of that kind. */
export const datatypesOf = (kind: Datatype['kind']): string[] =>
  [...DATATYPES].filter(([, datatype]) => datatype.kind === kind).map(([name]) => name);
