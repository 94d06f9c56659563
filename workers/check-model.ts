import { readFile } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import { PlatformError } from '../lib/errors.ts';
import { answerLimited } from '../lib/limited-task.ts';
import { answerRows, createOnnxSession, type OnnxSession } from '../lib/onnx-session.ts';
import { inspectOnnx } from '../ml/onnx/inspect.ts';
import { RefusedModel } from '../ml/onnx/read.ts';
import { sampleRows } from '../ml/onnx/sample-rows.ts';
import { servedSignature } from '../ml/onnx/served-contract.ts';
import type { GoldenRows, ModelSignature } from '../ml/signature.ts';
import type { CheckedModel, CheckModelInput } from '../api/model-check.ts';

const TOLERANCE = 1e-5; // float32 sums of one row and of many may differ in order

// Run by api/model-check.ts: a JSON line in, a JSON line out.
await answerLimited(async ({ path, processorSeconds }: CheckModelInput): Promise<CheckedModel> => {
  limitProcessor(processorSeconds);
  const bytes = await readFile(path);
  try {
    const signature = servedSignature(inspectOnnx(bytes));
    const session = await opened(bytes);
    return { signature, golden: await goldenRows(session, signature) };
  } catch (error) {
    if (!(error instanceof RefusedModel)) throw error;
    const { path, rule, message } = error;
    throw new PlatformError('INVALID', 'the model file is refused', { details: [{ path, rule, message }] });
  }
});

/** Ends the process by SIGVTALRM. A busy machine does not count, unlike for a limit on the clock. */
function limitProcessor(seconds: number): void {
  const code = `
    const { workerData } = require('node:worker_threads');
    setInterval(() => {
      const { user, system } = process.cpuUsage();
      if (user + system > workerData) process.kill(process.pid, 'SIGVTALRM');
    }, 20);
  `;
  const { user, system } = process.cpuUsage();
  new Worker(code, { eval: true, workerData: user + system + seconds * 1e6 }).unref();
}

async function opened(bytes: Uint8Array): Promise<OnnxSession> {
  try {
    return await createOnnxSession(bytes);
  } catch (cause) {
    throw new RefusedModel('', 'loads', `ONNX Runtime does not load it: ${reasonOf(cause)}`);
  }
}

/** Rows made up from the signature, and the answers, if they are what a served model must answer. */
async function goldenRows(session: OnnxSession, signature: ModelSignature): Promise<GoldenRows> {
  const rows = sampleRows(signature.inputs);
  const answers = await scored(session, signature, rows);
  for (const [row, { probability, label, decision }] of answers.entries()) {
    const broken = (rule: string, message: string) =>
      new RefusedModel(`graph.output (row ${row})`, rule, `${message} for ${JSON.stringify(rows[row]).slice(0, 500)}`);
    if (!(probability >= 0 && probability <= 1)) throw broken('probability', `the probability is ${probability}`);
    const side = probability >= signature.threshold ? 'positive' : 'negative';
    if (label !== signature.classes[side]) throw broken('label', `the label is not '${signature.classes[side]}'`);
    if (decision !== signature.decision[side]) {
      throw broken('decision', `the decision is not '${signature.decision[side]}'`);
    }
    const [alone] = await scored(session, signature, [rows[row]!]);
    if (!(Math.abs(alone!.probability - probability) <= TOLERANCE)) {
      throw broken('row_by_row', 'the answer alone differs from the answer among other rows');
    }
  }
  return { rows, probabilities: answers.map(({ probability }) => probability) };
}

async function scored(session: OnnxSession, signature: ModelSignature, rows: GoldenRows['rows']) {
  const answers = await answerRows(session, signature, rows).catch((cause: unknown) => {
    throw new RefusedModel('graph', 'scores', `ONNX Runtime does not score rows with it: ${reasonOf(cause)}`);
  });
  if (answers.length === rows.length) return answers;
  throw new RefusedModel('graph.output', 'rows', `${answers.length} answers for ${rows.length} rows`);
}

/** Without the place in ONNX Runtime's own source. */
function reasonOf(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause))
    .replace(/\/\S*onnxruntime_src\/\S+ [^]*?\)\s+(?=\S)/g, '')
    .trim()
    .slice(0, 500);
}
