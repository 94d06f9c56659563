import type { Feed } from '../../lib/model-feeds.ts';
import { createOnnxSession } from '../../lib/onnx-session.ts';
import { PACKED, packInputs } from '../../ml/onnx/pack-inputs.ts';
import type { RowBuffers, RowLayout } from './row-buffers.ts';

/** A model file opened for packed rows. */
export interface PackedSession {
  /**
   * Probability of the positive class of the first `rows` rows. The buffers must stay as they are until it answers:
   * ONNX Runtime reads them in a later turn of the event loop.
   */
  probabilities(this: void, buffers: RowBuffers, rows: number): Promise<Float32Array>;
  release(this: void): Promise<void>;
}

/** Opens a file. Throws what ONNX Runtime says when it cannot be loaded. */
export async function openPackedSession(onnx: Uint8Array, layout: RowLayout): Promise<PackedSession> {
  const packed = packInputs(onnx, layout);
  const session = await createOnnxSession(packed ?? onnx);
  const feedsOf = packed ? packedFeeds : namedFeeds;
  return {
    probabilities: async (buffers, rows) => {
      if (rows === 0) return new Float32Array();
      const { probability } = await session.run(feedsOf(layout, buffers, rows), ['probability']);
      return probability as Float32Array;
    },
    release: session.release,
  };
}

/** One feed per kind: views of the buffers, and a copy of the texts where there are fewer rows than room. */
function packedFeeds({ numbers, texts, integers }: RowLayout, buffers: RowBuffers, rows: number): Feed[] {
  const feeds: Feed[] = [];
  const [floats, strings, longs] = [rows * numbers.length, rows * texts.length, rows * integers.length];
  if (floats > 0) {
    const data = buffers.numbers.subarray(0, floats);
    feeds.push({ name: PACKED.numbers, type: 'float32', data, dims: [rows, numbers.length] });
  }
  if (strings > 0) {
    const data = buffers.texts.length === strings ? buffers.texts : buffers.texts.slice(0, strings);
    feeds.push({ name: PACKED.texts, type: 'string', data, dims: [rows, texts.length] });
  }
  if (longs > 0) {
    const data = buffers.integers.subarray(0, longs);
    feeds.push({ name: PACKED.integers, type: 'int64', data, dims: [rows, integers.length] });
  }
  return feeds;
}

/** One feed per input, each a copy. */
function namedFeeds({ numbers, texts, integers }: RowLayout, buffers: RowBuffers, rows: number): Feed[] {
  const dims: [number, number] = [rows, 1];
  return [
    ...numbers.map((name, at): Feed => {
      const data = column(new Float32Array(rows), buffers.numbers, at, numbers.length);
      return { name, type: 'float32', data, dims };
    }),
    ...texts.map((name, at): Feed => {
      const data = column(new Array<string>(rows), buffers.texts, at, texts.length);
      return { name, type: 'string', data, dims };
    }),
    ...integers.map((name, at): Feed => {
      const data = column(new BigInt64Array(rows), buffers.integers, at, integers.length);
      return { name, type: 'int64', data, dims };
    }),
  ];
}

function column<T extends { [index: number]: unknown; readonly length: number }>(
  into: T,
  rows: T,
  at: number,
  step: number,
): T {
  for (let row = 0, from = at; row < into.length; row++, from += step) into[row] = rows[from];
  return into;
}
