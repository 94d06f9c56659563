import { type OutputName, OUTPUTS, type RequestedOutput } from './requested-outputs.ts';

export interface InferAnswer {
  /** The name it was asked by, and the version that answers. */
  readonly modelName: string;
  readonly modelVersion: number;
  /** Of the request. */
  readonly id: string | undefined;
  readonly parameters: Readonly<Record<string, string | number | boolean>>;
  /** A value per row. */
  readonly values: Readonly<Record<OutputName, readonly string[] | Float32Array>>;
}
export interface EncodedAnswer {
  readonly body: string | Uint8Array;
  /** How much of the body is JSON; null when all of it is. */
  readonly jsonBytes: number | null;
}

/** Writes the outputs that were asked for as JSON, the binary ones as bytes behind it. */
export function encodeAnswer(answer: InferAnswer, outputs: readonly RequestedOutput[]): EncodedAnswer {
  const tensors: Uint8Array[] = [];
  const described = outputs.map(({ name, binary }) => {
    const values = answer.values[name];
    const tensor = { name, datatype: OUTPUTS[name], shape: [values.length] };
    if (!binary) return { ...tensor, data: Array.from<unknown>(values) };
    const bytes = values instanceof Float32Array ? floatBytes(values) : textBytes(values);
    tensors.push(bytes);
    return { ...tensor, parameters: { binary_data_size: bytes.length } };
  });
  const json = JSON.stringify({
    model_name: answer.modelName,
    model_version: String(answer.modelVersion),
    id: answer.id,
    parameters: answer.parameters,
    outputs: described,
  });
  if (tensors.length === 0) return { body: json, jsonBytes: null };
  const header = Buffer.from(json);
  return { body: Buffer.concat([header, ...tensors]), jsonBytes: header.length };
}

const LENGTH_BYTES = 4;

// Little-endian, as every processor that Node runs on but one.
const floatBytes = ({ buffer, byteOffset, byteLength }: Float32Array) => new Uint8Array(buffer, byteOffset, byteLength);

function textBytes(texts: readonly string[]): Buffer {
  // A UTF-16 unit is at most three bytes of UTF-8.
  const most = texts.reduce((sum, { length }) => sum + LENGTH_BYTES + 3 * length, 0);
  const bytes = Buffer.allocUnsafe(most);
  let at = 0;
  for (const text of texts) {
    const length = bytes.write(text, at + LENGTH_BYTES);
    at = bytes.writeUInt32LE(length, at) + length;
  }
  return bytes.subarray(0, at);
}
