export interface TestTensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly unknown[];
  /** JSON elements, or bytes that go behind the JSON. */
  readonly data: unknown;
  readonly parameters?: Readonly<Record<string, unknown>>;
}

/** A request to infer as bytes, with the header's length of its JSON if any tensor is binary. */
export function inferBody(tensors: readonly TestTensor[], more: object = {}) {
  const isBinary = (data: unknown): data is Uint8Array => data instanceof Uint8Array;
  const inputs = tensors.map(({ data, parameters, ...tensor }) =>
    isBinary(data)
      ? { ...tensor, parameters: { binary_data_size: data.length, ...parameters } }
      : { ...tensor, data, parameters },
  );
  const json = Buffer.from(JSON.stringify({ ...more, inputs }));
  const binary = tensors.map(({ data }) => data).filter(isBinary);
  const headerLength = binary.length > 0 ? String(json.length) : undefined;
  return { bytes: Buffer.concat([json, ...binary]), headerLength };
}

/** Little-endian bytes, at an address that no typed array could start at. */
export function bytesOf(
  bytesEach: number,
  values: readonly number[],
  set: (view: DataView, at: number, value: number) => void,
) {
  const bytes = Buffer.from(new ArrayBuffer(values.length * bytesEach + 1), 1);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  values.forEach((value, index) => set(view, index * bytesEach, value));
  return bytes;
}
export const fp32 = (...values: number[]) => bytesOf(4, values, (view, at, value) => view.setFloat32(at, value, true));
export const int64 = (...values: bigint[]) => Buffer.from(BigInt64Array.from(values).buffer);

/** Elements as BYTES tensors hold them: four bytes of length before each. */
export const lengthPrefixed = (...elements: (string | Uint8Array)[]) =>
  Buffer.concat(
    elements.flatMap((element) => {
      const bytes = Buffer.from(element as string);
      const length = Buffer.alloc(4);
      length.writeUInt32LE(bytes.length);
      return [length, bytes];
    }),
  );
