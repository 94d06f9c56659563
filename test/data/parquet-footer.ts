// Changes the footer of a real Parquet file: reads its Thrift (compact protocol) into fields by number, and writes it back.

/** Numbers are BigInt, binary is Buffer, a struct is a ThriftStruct, a list an array with its element type. */
export type ThriftValue = bigint | boolean | Buffer | ThriftStruct | ThriftList;
export interface ThriftList {
  readonly of: number;
  items: ThriftValue[];
}
export type ThriftStruct = Map<number, { type: number; value: ThriftValue }>;

const TRUE = 1;
const FALSE = 2;
const BYTE = 3;
const I64 = 6;
const BINARY = 8;
const LIST = 9;
const STRUCT = 12;

const END_BYTES = 8;

/** The file with its footer changed by `edit`. `FileMetaData`: 2 schema, 3 num_rows, 4 row_groups. */
export function editFooter(file: Buffer, edit: (metadata: ThriftStruct) => void): Buffer {
  const start = file.length - END_BYTES - file.readUInt32LE(file.length - END_BYTES);
  const reader = { bytes: file, at: start };
  const metadata = readStruct(reader);
  edit(metadata);
  return withFooter(file.subarray(0, start), Buffer.from(writeStruct(metadata)));
}

export function withFooter(data: Buffer, footer: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(footer.length);
  return Buffer.concat([data, footer, length, Buffer.from('PAR1')]);
}

/** The file with the header of the first page of its last column changed. `PageHeader`: 2 uncompressed, 3 compressed size. */
export function editLastColumnPage(file: Buffer, edit: (header: ThriftStruct) => void): Buffer {
  let data = Buffer.alloc(0);
  const changed = editFooter(file, (metadata) => {
    const column = columnsOf(rowGroups(metadata).at(-1)!).at(-1)!;
    const number = (field: number) => Number(column.get(field)?.value ?? 0);
    const start = number(11) || number(9);
    const reader = { bytes: file, at: start };
    const header = readStruct(reader);
    edit(header);
    const written = Buffer.from(writeStruct(header));
    const grown = written.length - (reader.at - start);
    data = Buffer.concat([file.subarray(0, start), written, file.subarray(reader.at, start + number(7))]);
    setNumber(column, 7, number(7) + grown);
    if (number(11) > 0) setNumber(column, 9, number(9) + grown);
  });
  return withFooter(data, footerOf(changed));
}

const footerOf = (file: Buffer) =>
  file.subarray(file.length - END_BYTES - file.readUInt32LE(file.length - END_BYTES), file.length - END_BYTES);

export const structOf = (struct: ThriftStruct, field: number) => struct.get(field)!.value as ThriftStruct;
export const listOf = (struct: ThriftStruct, field: number) => struct.get(field)!.value as ThriftList;
export const setNumber = (struct: ThriftStruct, field: number, value: bigint | number) =>
  struct.set(field, { type: I64, value: BigInt(value) });

/** RowGroup: 1 columns, 2 total_byte_size, 3 num_rows. */
export const rowGroups = (metadata: ThriftStruct) => listOf(metadata, 4).items as ThriftStruct[];
/** ColumnMetaData: 5 num_values, 6 uncompressed, 7 compressed, 9 data_page_offset, 11 dictionary_page_offset. */
export const columnsOf = (rowGroup: ThriftStruct) =>
  (listOf(rowGroup, 1).items as ThriftStruct[]).map((chunk) => structOf(chunk, 3));

interface Reader {
  readonly bytes: Buffer;
  at: number;
}

function varint(reader: Reader): bigint {
  let value = 0n;
  for (let shift = 0n; ; shift += 7n) {
    const byte = reader.bytes[reader.at++]!;
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
}

const zigzag = (value: bigint) => (value >> 1n) ^ -(value & 1n);

function readStruct(reader: Reader): ThriftStruct {
  const fields: ThriftStruct = new Map();
  let field = 0;
  for (;;) {
    const head = reader.bytes[reader.at++]!;
    if (head === 0) return fields;
    field = head >> 4 === 0 ? Number(zigzag(varint(reader))) : field + (head >> 4);
    const type = head & 15;
    fields.set(field, { type, value: type === TRUE || type === FALSE ? type === TRUE : readValue(reader, type) });
  }
}

function readValue(reader: Reader, type: number): ThriftValue {
  switch (type) {
    case TRUE:
      return reader.bytes[reader.at++] === TRUE;
    case BYTE:
      return BigInt(reader.bytes[reader.at++]!);
    case BINARY: {
      const length = Number(varint(reader));
      return reader.bytes.subarray(reader.at, (reader.at += length));
    }
    case LIST: {
      const head = reader.bytes[reader.at++]!;
      const count = head >> 4 === 15 ? Number(varint(reader)) : head >> 4;
      return { of: head & 15, items: Array.from({ length: count }, () => readValue(reader, head & 15)) };
    }
    case STRUCT:
      return readStruct(reader);
    default:
      return zigzag(varint(reader)); // i16, i32, i64
  }
}

function writeVarint(value: bigint): number[] {
  const bytes: number[] = [];
  for (let rest = BigInt.asUintN(64, value); ; rest >>= 7n) {
    if (rest < 128n) return [...bytes, Number(rest)];
    bytes.push(Number(rest & 127n) | 128);
  }
}

const writeZigzag = (value: bigint) => writeVarint((value << 1n) ^ (value >> 63n));

function writeStruct(struct: ThriftStruct): number[] {
  const bytes: number[] = [];
  for (const [field, { type, value }] of [...struct].sort(([a], [b]) => a - b)) {
    const isBoolean = typeof value === 'boolean';
    bytes.push(isBoolean ? (value ? TRUE : FALSE) : type, ...writeZigzag(BigInt(field)));
    if (!isBoolean) for (const byte of writeValue(type, value)) bytes.push(byte);
  }
  return [...bytes, 0];
}

function writeValue(type: number, value: ThriftValue): number[] {
  if (typeof value === 'boolean') return [value ? TRUE : FALSE];
  if (typeof value === 'bigint') return type === BYTE ? [Number(value)] : writeZigzag(value);
  if (Buffer.isBuffer(value)) return [...writeVarint(BigInt(value.length)), ...value];
  if (value instanceof Map) return writeStruct(value);
  const items = value.items.flatMap((item) => writeValue(value.of, item));
  return [0xf0 | value.of, ...writeVarint(BigInt(value.items.length)), ...items];
}
