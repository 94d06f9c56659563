import type { Matrix } from './matrix.ts';

// Magic, header length (uint32), JSON {columns, rows}, spaces up to `dataOffset`; then the columns one after another
// as little-endian float32; then the target, one byte per row. Offsets are multiples of four, so columns can be views.
const MAGIC = 'ANNLMTX1';
const PREAMBLE = 12;
const ALIGNMENT = 64;

/** Where everything stands in a matrix file, in bytes; enough to write one column at a time. */
export interface MatrixLayout {
  /** The first `dataOffset` bytes of the file. */
  readonly header: Uint8Array;
  readonly dataOffset: number;
  readonly columnOffset: (column: number) => number;
  readonly targetOffset: number;
  readonly totalBytes: number;
}

export function matrixHeader(columns: readonly string[], rows: number): MatrixLayout {
  const json = new TextEncoder().encode(JSON.stringify({ columns, rows }));
  const dataOffset = Math.ceil((PREAMBLE + json.length) / ALIGNMENT) * ALIGNMENT;
  const header = new Uint8Array(dataOffset).fill(0x20);
  header.set(new TextEncoder().encode(MAGIC));
  new DataView(header.buffer).setUint32(MAGIC.length, json.length, true);
  header.set(json, PREAMBLE);
  return layout(header, columns.length, rows);
}

/** @throws RangeError when an array's length is not `rows` */
export function encodeMatrix(matrix: Matrix): Uint8Array {
  const { header, columnOffset, targetOffset, totalBytes } = matrixHeader(matrix.columns, matrix.rows);
  if (matrix.data.length !== matrix.columns.length) {
    throw new RangeError(`matrix: ${matrix.columns.length} names but ${matrix.data.length} columns`);
  }
  const bytes = new Uint8Array(totalBytes);
  bytes.set(header);
  matrix.data.forEach((values, column) => {
    checkLength(matrix.columns[column]!, values, matrix.rows);
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), columnOffset(column));
  });
  checkLength('target', matrix.target, matrix.rows);
  bytes.set(matrix.target, targetOffset);
  return bytes;
}

/**
 * Columns and target are views of `bytes` (copied only where `bytes` starts off a multiple of four).
 * @throws RangeError when the bytes are not a whole matrix file
 */
export function decodeMatrix(bytes: Uint8Array): Matrix {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  const { columns, rows, dataOffset } = readHeader(aligned);
  const { columnOffset, targetOffset, totalBytes } = layout(aligned.subarray(0, dataOffset), columns.length, rows);
  if (aligned.length !== totalBytes) {
    throw new RangeError(`matrix file: ${aligned.length} bytes, but its header needs ${totalBytes}`);
  }
  const start = aligned.byteOffset;
  const data = columns.map((_, column) => new Float32Array(aligned.buffer, start + columnOffset(column), rows));
  return { columns, rows, data, target: new Uint8Array(aligned.buffer, start + targetOffset, rows) };
}

function layout(header: Uint8Array, columnCount: number, rows: number): MatrixLayout {
  const dataOffset = header.length;
  const columnOffset = (column: number) => dataOffset + column * rows * 4;
  const targetOffset = columnOffset(columnCount);
  return { header, dataOffset, columnOffset, targetOffset, totalBytes: targetOffset + rows };
}

function readHeader(bytes: Uint8Array): { columns: string[]; rows: number; dataOffset: number } {
  // slice: a TextDecoder refuses shared memory.
  if (new TextDecoder().decode(bytes.slice(0, MAGIC.length)) !== MAGIC) throw new RangeError('not a matrix file');
  if (bytes.length < PREAMBLE) throw new RangeError('matrix file: cut off in its header');
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(MAGIC.length, true);
  if (bytes.length < PREAMBLE + length) throw new RangeError('matrix file: cut off in its header');
  const { columns, rows } = parseHeader(bytes.slice(PREAMBLE, PREAMBLE + length));
  return { columns, rows, dataOffset: Math.ceil((PREAMBLE + length) / ALIGNMENT) * ALIGNMENT };
}

function parseHeader(json: Uint8Array): { columns: string[]; rows: number } {
  try {
    const { columns, rows } = JSON.parse(new TextDecoder().decode(json)) as { columns: unknown; rows: unknown };
    if (isNames(columns) && Number.isSafeInteger(rows) && (rows as number) >= 0)
      return { columns, rows: rows as number };
  } catch (cause) {
    throw new RangeError('matrix file: its header is not JSON', { cause });
  }
  throw new RangeError('matrix file: its header needs columns (names) and rows (a count)');
}

const isNames = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((name) => typeof name === 'string');

function checkLength(column: string, values: ArrayLike<number>, rows: number): void {
  if (values.length !== rows)
    throw new RangeError(`matrix: column '${column}' has ${values.length} values, not ${rows}`);
}
