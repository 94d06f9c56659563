import { type Feed, MISSING_INTEGER } from '../../lib/model-feeds.ts';
import type { OnnxSession } from '../../lib/onnx-session.ts';
import type { RawColumns } from '../../ml/feature-matrix.ts';
import type { InputColumn } from '../../ml/features.ts';

const SLICE = 1024; // rows per run of the model: small enough for the processor's cache

/** Probability of the positive class for every row, by the same file and inputs as a serving process uses. */
export async function scoreColumns(
  session: Pick<OnnxSession, 'run'>,
  inputs: readonly InputColumn[],
  raw: RawColumns,
): Promise<Float32Array> {
  const probabilities = new Float32Array(raw.rows);
  const feeds = inputs.map((input) => feedOf(input, raw));
  for (let start = 0; start < raw.rows; start += SLICE) {
    const end = Math.min(start + SLICE, raw.rows);
    const { probability } = await session.run(
      feeds.map((feed) => slice(feed, start, end)),
      ['probability'],
    );
    probabilities.set(probability as Float32Array, start);
  }
  return probabilities;
}

function feedOf({ name, type }: InputColumn, { rows, columns }: RawColumns): Feed {
  const dims: [number, number] = [rows, 1];
  const column = columns[name]!;
  if (column instanceof Float32Array) return { name, type: 'float32', data: column, dims };
  const { codes, categories } = column;
  if (type === 'categorical_string') {
    return {
      name,
      type: 'string',
      data: Array.from(codes, (code) => (categories[code] as string | undefined) ?? ''),
      dims,
    };
  }
  const integers = categories.map(BigInt);
  const data = new BigInt64Array(rows);
  for (let row = 0; row < rows; row++) data[row] = integers[codes[row]!] ?? MISSING_INTEGER;
  return { name, type: 'int64', data, dims };
}

function slice(feed: Feed, start: number, end: number): Feed {
  const dims: [number, number] = [end - start, 1];
  switch (feed.type) {
    case 'float32':
      return { ...feed, data: feed.data.subarray(start, end), dims };
    case 'int64':
      return { ...feed, data: feed.data.subarray(start, end), dims };
    case 'string':
      return { ...feed, data: feed.data.slice(start, end), dims };
  }
}
