import { answerRows, createOnnxSession, scoreRows } from '../lib/onnx-session.ts';
import type { OpenSession } from './loaded-model.ts';

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
