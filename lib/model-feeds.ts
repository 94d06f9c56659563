/** An input of a model file, [N, 1], by what its values mean. */
export interface ModelInput {
  readonly name: string;
  readonly type: 'numeric' | 'boolean' | 'categorical_string' | 'categorical_integer';
}
export type InputRow = Readonly<Record<string, number | string | boolean | null>>;

/** Values of one input for a batch, shape [N, 1]. */
export type Feed =
  | { readonly name: string; readonly type: 'float32'; readonly data: Float32Array; readonly dims: [number, number] }
  | { readonly name: string; readonly type: 'int64'; readonly data: BigInt64Array; readonly dims: [number, number] }
  | { readonly name: string; readonly type: 'string'; readonly data: string[]; readonly dims: [number, number] };

/** What stands for a missing integer in an input of a model file. */
export const MISSING_INTEGER = -(2n ** 63n);

/**
 * Raw rows as a model file takes them; a value that is null or absent becomes the input's mark for missing. Rows are
 * expected to be checked already: what is left is a RangeError that names row and input.
 */
export function rowsToFeeds(inputs: readonly ModelInput[], rows: readonly InputRow[]): Feed[] {
  const dims: [number, number] = [rows.length, 1];
  return inputs.map(({ name, type }): Feed => {
    switch (type) {
      case 'numeric':
      case 'boolean':
        return { name, type: 'float32', data: floats(name, rows), dims };
      case 'categorical_integer':
        return { name, type: 'int64', data: integers(name, rows), dims };
      case 'categorical_string':
        return { name, type: 'string', data: rows.map((row, index) => text(name, row, index)), dims };
    }
  });
}

function floats(name: string, rows: readonly InputRow[]): Float32Array {
  const data = new Float32Array(rows.length);
  for (let row = 0; row < rows.length; row++) {
    const value = rows[row]![name] ?? NaN;
    if (typeof value === 'string') throw wrong(name, row, value, 'a number or boolean');
    data[row] = Number(value);
    if (Math.abs(data[row]!) === Infinity) throw wrong(name, row, value, 'in the range of a float32');
  }
  return data;
}

function integers(name: string, rows: readonly InputRow[]): BigInt64Array {
  const data = new BigInt64Array(rows.length);
  for (let row = 0; row < rows.length; row++) {
    const value = rows[row]![name] ?? null;
    if (value !== null && !Number.isSafeInteger(value)) throw wrong(name, row, value, 'an integer');
    data[row] = value === null ? MISSING_INTEGER : BigInt(value);
  }
  return data;
}

function text(name: string, row: InputRow, index: number): string {
  const value = row[name] ?? '';
  if (typeof value !== 'string') throw wrong(name, index, value, 'a string');
  return value;
}

const wrong = (name: string, row: number, value: unknown, expected: string) =>
  new RangeError(`row ${row + 1}: '${name}' must be ${expected}, not ${JSON.stringify(value)}`);
