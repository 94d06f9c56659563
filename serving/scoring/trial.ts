import { readFile } from 'node:fs/promises';
import { PlatformError } from '../../lib/errors.ts';
import { answerRows, createOnnxSession, type ModelAnswer, type OnnxSession } from '../../lib/onnx-session.ts';
import { OUTPUTS } from '../../ml/onnx/outputs.ts';
import type { GoldenRows, ModelSignature, RawRow } from '../../ml/signature.ts';
import type { ScoringCost } from '../loaded-model.ts';
import { measureCost, MEASURED_ROWS } from './cost.ts';
import { openPackedSession, type PackedSession } from './packed-session.ts';
import { createRowBuffers, layoutOf, type RowBuffers, type RowLayout } from './row-buffers.ts';
import { writeCheckedRow } from './row-writer.ts';

export interface TrialInput {
  /** Of the model file. */
  readonly path: string;
  readonly golden: GoldenRows;
  readonly signature: ModelSignature;
}
export interface TrialResult {
  /** How long opening the file keeps a thread busy. */
  readonly loadMs: number;
  readonly cost: ScoringCost;
}

const TOLERANCE = 1e-5;

/**
 * Opens a model file and has it answer its golden rows, together and one by one. Throws MODEL_INVALID with what is wrong
 * with it. Whatever the file does to a process it does to this one: see model-trial.ts.
 */
export async function tryModel({ path, golden, signature }: TrialInput): Promise<TrialResult> {
  const onnx = await readFile(path);
  const answers = await answersByName(onnx, signature, golden.rows);
  const layout = layoutOf(signature.inputs);
  const before = process.threadCpuUsage(); // a busy machine does not count
  const session = await opened(openPackedSession(onnx, layout));
  const { user, system } = process.threadCpuUsage(before);
  await checkAnswers(session, { layout, golden, signature, answers });
  return {
    loadMs: (user + system) / 1000,
    cost: await measureCost(session, packed(layout, golden.rows, MEASURED_ROWS)),
  };
}

/** All outputs, by the file's own inputs. */
async function answersByName(onnx: Uint8Array, signature: ModelSignature, rows: readonly RawRow[]) {
  const session = await opened(createOnnxSession(onnx));
  const lacking = OUTPUTS.filter((name) => !session.outputNames.includes(name));
  if (lacking.length > 0) throw invalid(`the model file does not load: output ${lacking.join(', ')} is missing`);
  checkInputs(session, signature);
  const answers = await scored(answerRows(session, session, rows));
  await session.release();
  return answers;
}

async function opened<T>(opening: Promise<T>): Promise<T> {
  return await opening.catch((cause: unknown) => {
    throw invalid(`the model file does not load: ${messageOf(cause)}`);
  });
}

async function scored<T>(scoring: Promise<T>): Promise<T> {
  return await scoring.catch((cause: unknown) => {
    throw invalid(`the model does not score its golden rows: ${messageOf(cause)}`);
  });
}

function checkInputs({ inputNames }: OnnxSession, { inputs }: ModelSignature): void {
  const expected = inputs.map(({ name }) => name);
  const absent = expected.filter((name) => !inputNames.includes(name));
  const extra = inputNames.filter((name) => !expected.includes(name));
  if (absent.length > 0) throw invalid(`the model file lacks input ${absent.join(', ')} of its signature`);
  if (extra.length > 0) throw invalid(`the model file takes input ${extra.join(', ')}, which its signature lacks`);
}

interface Expected {
  readonly layout: RowLayout;
  readonly golden: GoldenRows;
  readonly signature: ModelSignature;
  readonly answers: readonly ModelAnswer[];
}

// What is served takes label and decision from the signature: strings cost more to fetch than the model.
async function checkAnswers(session: PackedSession, { layout, golden, signature, answers }: Expected): Promise<void> {
  const { rows, probabilities: expected } = golden;
  const together = await scored(session.probabilities(packed(layout, rows, rows.length), rows.length));
  for (const [row, probability] of together.entries()) {
    const broken = (message: string) => invalid(`golden row ${row}: the model ${message}`);
    if (!Number.isFinite(probability)) throw broken(`answers ${probability}`);
    if (isOther(probability, expected[row]!)) throw broken(`answers ${probability}, not ${expected[row]}`);
    const side = probability >= Math.fround(signature.threshold) ? 'positive' : 'negative';
    const [label, decision] = [signature.classes[side], signature.decision[side]];
    const own = answers[row]!;
    if (own.label !== label) throw broken(`answers the class ${own.label}, its signature ${label}`);
    if (own.decision !== decision) throw broken(`decides ${own.decision}, its signature ${decision}`);
    const [alone] = await scored(session.probabilities(packed(layout, [rows[row]!], 1), 1));
    if (isOther(alone!, probability)) throw broken(`answers ${alone} alone, but ${probability} among other rows`);
  }
}

const isOther = (a: number, b: number) => !(Math.abs(a - b) <= TOLERANCE);

/** So many rows, going round the given ones. */
function packed(layout: RowLayout, rows: readonly RawRow[], count: number): RowBuffers {
  const buffers = createRowBuffers(layout, count);
  for (let index = 0; index < count; index++) writeCheckedRow(rows[index % rows.length]!, layout, buffers, index);
  return buffers;
}

const messageOf = (cause: unknown) => (cause instanceof Error ? cause.message : String(cause));
const invalid = (message: string) => new PlatformError('MODEL_INVALID', message);
