import { isUtf8 } from 'node:buffer';
import type { FixedDatatype } from './datatypes.ts';
import { refuse } from './refusal.ts';
import type { TensorInput } from './tensor-inputs.ts';

/**
 * What a tensor holds, one value per row; null is missing. Throws INVALID for bytes that are no texts and
 * for JSON numbers that the datatype cannot hold.
 */
export function valuesOf(tensor: TensorInput, rows: number): readonly unknown[] {
  const { datatype, data } = tensor;
  if (!(data instanceof DataView)) return elementsOf(tensor, data);
  return datatype.kind === 'text' ? textsOf(tensor, data, rows) : fixedOf(data, rows, datatype);
}

function elementsOf({ name, datatype }: TensorInput, data: readonly unknown[]): readonly unknown[] {
  const values = Array.isArray(data[0]) ? data.map(unwrapped) : data;
  if (datatype.kind === 'text' || datatype.range === null) return values;
  const [least, most] = datatype.range;
  const fits = (value: unknown) =>
    typeof value !== 'number' || (Number.isInteger(value) && value >= least && value <= most);
  const row = values.findIndex((value) => !fits(value));
  if (row < 0) return values;
  throw refuse(`rows[${row}].${name}`, 'datatype', `must be an integer from ${least} to ${most}, as its datatype says`);
}

const unwrapped = (element: unknown): unknown =>
  Array.isArray(element) && element.length === 1 ? (element as unknown[])[0] : element;

function fixedOf(view: DataView, rows: number, { bytes, read }: FixedDatatype): readonly unknown[] {
  const values: (number | boolean | null)[] = [];
  for (let row = 0; row < rows; row++) values.push(read(view, row * bytes));
  return values;
}

const LENGTH_BYTES = 4;

function textsOf({ name, path }: TensorInput, view: DataView, rows: number): readonly string[] {
  const bytes = Buffer.from(view.buffer, view.byteOffset, view.byteLength);
  const texts: string[] = [];
  let at = 0;
  for (let row = 0; row < rows; row++) {
    const start = at + LENGTH_BYTES;
    const end = start <= bytes.length ? start + bytes.readUInt32LE(at) : Infinity;
    if (end > bytes.length) throw wrongSize(path, `end before the text of row ${row} does`);
    const text = bytes.toString('utf8', start, end);
    if (text.includes('\ufffd') && !isUtf8(bytes.subarray(start, end)))
      throw refuse(`rows[${row}].${name}`, 'utf8', 'must be UTF-8');
    texts.push(text);
    at = end;
  }
  if (at < bytes.length) throw wrongSize(path, `go on for ${bytes.length - at} bytes after the text of the last row`);
  return texts;
}

const wrongSize = (path: string, what: string) =>
  refuse(`${path}.parameters.binary_data_size`, 'length', `must not ${what}`);
