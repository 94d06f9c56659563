import { answerCalls } from '../../lib/answer-calls.ts';
import { createOnnxSession } from '../../lib/onnx-session.ts';

answerCalls<Uint8Array>(
  async (bytes) => {
    await (await createOnnxSession(bytes)).release();
    return { output: null };
  },
  () => Promise.resolve(),
);
