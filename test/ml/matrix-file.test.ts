import { expect, test } from 'vitest';
import { decodeMatrix, encodeMatrix, matrixHeader } from '../../ml/matrix-file.ts';

const matrix = {
  columns: ['a', 'größe'],
  rows: 3,
  data: [Float32Array.of(1, NaN, -0.5), Float32Array.of(3.4e38, 0, 7)],
  target: Uint8Array.of(0, 1, 1),
};

test('a matrix survives the file', () => {
  expect(decodeMatrix(encodeMatrix(matrix))).toEqual(matrix);
});

test('no rows and no columns are fine', () => {
  const empty = { columns: [], rows: 0, data: [], target: new Uint8Array() };
  expect(decodeMatrix(encodeMatrix(empty))).toEqual(empty);
});

test('decoding does not copy, also from shared memory', () => {
  const bytes = encodeMatrix(matrix);
  expect(decodeMatrix(bytes).data[0]!.buffer).toBe(bytes.buffer);
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
  shared.set(bytes);
  expect(decodeMatrix(shared).data[1]!.buffer).toBe(shared.buffer);
});

test('reads from an odd offset', () => {
  const bytes = encodeMatrix(matrix);
  const shifted = new Uint8Array(bytes.length + 1);
  shifted.set(bytes, 1);
  expect(decodeMatrix(shifted.subarray(1))).toEqual(matrix);
});

test('the layout lets a writer stream one column at a time', () => {
  const layout = matrixHeader(matrix.columns, matrix.rows);
  const bytes = new Uint8Array(layout.totalBytes);
  bytes.set(layout.header);
  matrix.data.forEach((values, column) => bytes.set(new Uint8Array(values.buffer), layout.columnOffset(column)));
  bytes.set(matrix.target, layout.targetOffset);
  expect(bytes).toEqual(encodeMatrix(matrix));
  expect(layout.header.length).toBe(layout.dataOffset);
  expect(layout.dataOffset % 64).toBe(0);
});

test('every truncation and every longer file is refused', () => {
  const bytes = encodeMatrix(matrix);
  for (let length = 0; length < bytes.length; length++) {
    expect(() => decodeMatrix(bytes.subarray(0, length)), `${length} bytes`).toThrow(RangeError);
  }
  expect(() => decodeMatrix(new Uint8Array([...bytes, 0]))).toThrow(`${bytes.length + 1} bytes, but its header needs`);
});

test('refuses other files and headers that are wrong', () => {
  const damaged = (edit: (bytes: Uint8Array) => void) => () => {
    const bytes = encodeMatrix(matrix);
    edit(bytes);
    decodeMatrix(bytes);
  };
  expect(damaged((bytes) => bytes.set([0x50], 0))).toThrow('not a matrix file');
  expect(damaged((bytes) => bytes.set([0x20], 12))).toThrow('its header is not JSON');
  expect(damaged((bytes) => bytes.fill(0xff, 8, 12))).toThrow('cut off in its header');
  expect(() => decodeMatrix(matrixHeader([], -1).header)).toThrow('needs columns (names) and rows (a count)');
});

test('refuses arrays of the wrong length', () => {
  expect(() => encodeMatrix({ ...matrix, target: new Uint8Array(2) })).toThrow("column 'target' has 2 values, not 3");
  expect(() => encodeMatrix({ ...matrix, columns: ['a'] })).toThrow('1 names but 2 columns');
});
