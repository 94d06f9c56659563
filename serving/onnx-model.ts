import { answerRows, createOnnxSession, scoreRows } from '../lib/onnx-session.ts';
import type { RawRow } from '../ml/signature.ts';

/** What a model answers for one row. */
export interface Score {
  readonly label: string;
  readonly probability: number;
  readonly decision: string;
}
/** A model file opened by the runtime. */
export interface ModelSession {
  readonly inputNames: readonly string[];
  /** Probability of the positive class, in the order of the rows. */
  probabilities(this: void, rows: readonly RawRow[]): Promise<Float32Array>;
  /** All outputs; slower, because of the strings. */
  scores(this: void, rows: readonly RawRow[]): Promise<Score[]>;
  release(this: void): Promise<void>;
}
/** Opens a file; throws when the runtime cannot load it or it lacks an output. */
export type OpenSession = (onnx: Uint8Array) => Promise<ModelSession>;

const OUTPUTS = ['label', 'probability', 'decision'];

/** A model file in ONNX Runtime. Throws when it does not load or lacks an output. */
export const openOnnxModel: OpenSession = async (onnx) => {
  const session = await createOnnxSession(onnx);
  const lacking = OUTPUTS.filter((name) => !session.outputNames.includes(name));
  if (lacking.length > 0) {
    await session.release();
    throw new RangeError(`output ${lacking.join(', ')} is missing`);
  }
  return {
    inputNames: session.inputNames,
    probabilities: (rows) => scoreRows(session, session, rows),
    scores: (rows) => answerRows(session, session, rows),
    release: session.release,
  };
};
