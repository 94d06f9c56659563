import './no-telemetry.ts';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { rowsToFeeds, type Feed, type InputRow, type ModelInput } from './model-feeds.ts';

/** A model file opened by ONNX Runtime. `run` computes on the calling thread, although it answers a promise. */
export interface OnnxSession {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /** The inputs by the type of their tensors; numbers and booleans are both `numeric`. */
  readonly inputs: readonly ModelInput[];
  /** Computes the named outputs. Fetch only what is needed: strings cost more than the model. */
  run(this: void, feeds: readonly Feed[], fetches: readonly string[]): Promise<Record<string, OutputData>>;
  release(this: void): Promise<void>;
}
export type OutputData = Tensor['data'];

export interface ModelAnswer {
  readonly label: string;
  readonly probability: number;
  readonly decision: string;
}

/** Opens a model file. Throws what ONNX Runtime says when it cannot be loaded. */
export async function createOnnxSession(bytes: Uint8Array): Promise<OnnxSession> {
  const session = await InferenceSession.create(bytes, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
  });
  return {
    inputNames: session.inputNames,
    outputNames: session.outputNames,
    inputs: session.inputMetadata.map(inputOf),
    run: async (feeds, fetches) => {
      const tensors = Object.fromEntries(feeds.map((feed) => [feed.name, tensorOf(feed)]));
      const outputs = await session.run(tensors, fetches);
      return Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, data]));
    },
    release: () => session.release(),
  };
}

/** Probability of the positive class for every row. @throws RangeError when a row does not fit its inputs */
export async function scoreRows(
  session: Pick<OnnxSession, 'run'>,
  { inputs }: { readonly inputs: readonly ModelInput[] },
  rows: readonly InputRow[],
): Promise<Float32Array> {
  if (rows.length === 0) return new Float32Array();
  const { probability } = await session.run(rowsToFeeds(inputs, rows), ['probability']);
  return probability as Float32Array;
}

/** All that the model answers, for every row. @throws RangeError when a row does not fit its inputs */
export async function answerRows(
  session: Pick<OnnxSession, 'run'>,
  { inputs }: { readonly inputs: readonly ModelInput[] },
  rows: readonly InputRow[],
): Promise<ModelAnswer[]> {
  if (rows.length === 0) return [];
  const outputs = await session.run(rowsToFeeds(inputs, rows), ['label', 'probability', 'decision']);
  const [label, decision] = [outputs['label'] as string[], outputs['decision'] as string[]];
  return Array.from(outputs['probability'] as Float32Array, (probability, row) => ({
    label: label[row]!,
    probability,
    decision: decision[row]!,
  }));
}

function inputOf(metadata: InferenceSession.ValueMetadata): ModelInput {
  const { name } = metadata;
  const type = metadata.isTensor ? metadata.type : 'no tensor';
  if (type === 'float32') return { name, type: 'numeric' };
  if (type === 'string') return { name, type: 'categorical_string' };
  if (type === 'int64') return { name, type: 'categorical_integer' };
  throw new RangeError(`the model file's input '${name}' is ${type}; float32, int64 and string are supported`);
}

function tensorOf(feed: Feed): Tensor {
  switch (feed.type) {
    case 'float32':
      return new Tensor(feed.type, feed.data, feed.dims);
    case 'int64':
      return new Tensor(feed.type, feed.data, feed.dims);
    case 'string':
      return new Tensor(feed.type, feed.data, feed.dims);
  }
}
