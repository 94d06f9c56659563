import { type Datatype, DATATYPES } from './datatypes.ts';
import { arrayOf, type Members, objectOf, parametersOf, refuseUnsupported, textOf } from './members.ts';
import { refuse } from './refusal.ts';

/** One feature of all rows, as it was sent. */
export interface TensorInput {
  /** Where it stands in the request. */
  readonly path: string;
  readonly name: string;
  readonly datatype: Datatype;
  /** An element per row, each maybe in an array of its own; or their little-endian bytes. */
  readonly data: readonly unknown[] | DataView;
}

/** Reads the tensors of a request; `bytes` are the binary ones, in order. Throws INVALID. */
export function readInputs(
  value: unknown,
  bytes: Buffer,
  maxRows: number,
): { rows: number; inputs: readonly TensorInput[] } {
  const inputs: TensorInput[] = [];
  const names = new Set<string>();
  let rows: number | undefined;
  let used = 0;
  for (const [index, entry] of arrayOf(value, 'inputs').entries()) {
    const path = `inputs[${index}]`;
    const tensor = objectOf(entry, path);
    const name = textOf(tensor['name'], `${path}.name`);
    if (names.has(name)) throw refuse(`${path}.name`, 'unique', `must not be another input's: '${name}'`);
    names.add(name);
    const own = rowsOf(tensor['shape'], path, maxRows);
    rows ??= own;
    if (own !== rows) throw refuse(`${path}.shape`, 'rows', `must have ${rows} rows as inputs[0] has, not ${own}`);
    const datatype = datatypeOf(tensor, path);
    const size = binarySizeOf(tensor, path);
    const data = size === undefined ? elementsOf(tensor, path, rows) : viewOf(bytes, used, size, path);
    if (size !== undefined) requireSize(datatype, rows, size, path);
    used += size ?? 0;
    inputs.push({ path, name, datatype, data });
  }
  if (rows === undefined) throw refuse('inputs', 'min_items', 'must hold at least one tensor');
  if (used !== bytes.length)
    throw refuse('body', 'binary_data_size', `must end with the tensors: ${bytes.length - used} bytes belong to none`);
  return { rows, inputs };
}

function rowsOf(shape: unknown, path: string, maxRows: number): number {
  const dimensions = arrayOf(shape, `${path}.shape`);
  const [rows, width = 1] = dimensions;
  if (dimensions.length < 1 || dimensions.length > 2 || width !== 1)
    throw refuse(`${path}.shape`, 'shape', 'must be [rows] or [rows, 1]');
  if (Number.isInteger(rows) && (rows as number) >= 1 && (rows as number) <= maxRows) return rows as number;
  throw refuse(`${path}.shape`, 'rows', `must have 1 to ${maxRows} rows`);
}

function datatypeOf(tensor: Members, path: string): Datatype {
  const name = textOf(tensor['datatype'], `${path}.datatype`);
  const datatype = DATATYPES.get(name);
  if (datatype) return datatype;
  throw refuse(`${path}.datatype`, 'datatype', `must be one of ${[...DATATYPES.keys()].join(', ')}`);
}

/** Bytes of a binary tensor; undefined where the elements are JSON. */
function binarySizeOf(tensor: Members, path: string): number | undefined {
  const parameters = parametersOf(tensor, `${path}.parameters`);
  refuseUnsupported(parameters, `${path}.parameters`);
  const size = parameters['binary_data_size'];
  if (size === undefined) return undefined;
  if (!Number.isSafeInteger(size) || (size as number) < 0)
    throw refuse(`${path}.parameters.binary_data_size`, 'integer', 'must be a number of bytes');
  if (tensor['data'] !== undefined) throw refuse(`${path}.data`, 'unexpected', 'must not be beside binary data');
  return size as number;
}

function elementsOf(tensor: Members, path: string, rows: number): readonly unknown[] {
  const data = arrayOf(tensor['data'], `${path}.data`);
  if (data.length === rows) return data;
  throw refuse(`${path}.data`, 'length', `must hold ${rows} elements as the shape says, not ${data.length}`);
}

function viewOf(bytes: Buffer, start: number, size: number, path: string): DataView {
  if (size <= bytes.length - start) return new DataView(bytes.buffer, bytes.byteOffset + start, size);
  const rest = bytes.length - start;
  throw refuse(`${path}.parameters.binary_data_size`, 'length', `must be at most the ${rest} bytes that are left`);
}

// Texts have a size of their own each.
function requireSize(datatype: Datatype, rows: number, size: number, path: string): void {
  if (datatype.kind === 'text' || size === rows * datatype.bytes) return;
  const expected = `${rows * datatype.bytes} for ${rows} elements of ${datatype.bytes} bytes`;
  throw refuse(`${path}.parameters.binary_data_size`, 'length', `must be ${expected}, not ${size}`);
}
