import { setTimeout as delay } from 'node:timers/promises';
import type { ServedModel } from '../db/endpoints.ts';
import { PlatformError } from '../lib/errors.ts';
import type { GoldenRows, ModelSignature, RawRow } from '../ml/signature.ts';
import type { LoadedModel } from './loaded-model.ts';
import type { ModelCache } from './model-cache.ts';
import { compileRowValidator } from './row-validator.ts';
import { openPackedSession } from './scoring/packed-session.ts';
import { layoutOf } from './scoring/row-buffers.ts';
import type { ModelSession, OpenSession } from './onnx-model.ts';

export const GOLDEN_TOLERANCE = 1e-5;
const ATTEMPTS = 3;

export interface LoaderDeps {
  readonly cache: Pick<ModelCache, 'read'>;
  readonly openSession: OpenSession;
  /** Before another try when the artifact store is away. */
  readonly retryDelayMs?: number;
}
export type LoadModel = (model: ServedModel) => Promise<LoadedModel>;

/**
 * Downloads, verifies, opens and checks a model version. Throws MODEL_INVALID (it does not load, takes other inputs, or
 * does not answer its golden rows), or UNAVAILABLE / NOT_FOUND from the artifact store.
 */
export const createModelLoader = ({ cache, openSession, retryDelayMs = 500 }: LoaderDeps): LoadModel => {
  const read = async (sha256: string, attempt = 1): Promise<Uint8Array> => {
    try {
      return await cache.read(sha256);
    } catch (error) {
      const passing = error instanceof PlatformError && error.code === 'UNAVAILABLE';
      if (!passing || attempt === ATTEMPTS) throw error;
      await delay(retryDelayMs * attempt);
      return await read(sha256, attempt + 1);
    }
  };

  return async (model) => {
    const [onnx, golden] = await Promise.all([read(model.onnxSha256), read(model.goldenRowsSha256)]);
    const session = await open(openSession, onnx);
    const score = scorer(session, model.signature);
    try {
      checkInputs(session, model);
      await checkGoldenRows(session, score, JSON.parse(Buffer.from(golden).toString()) as GoldenRows);
    } catch (error) {
      await session.release();
      throw error;
    }
    await session.release();
    const layout = layoutOf(model.signature.inputs);
    const packed = await openPackedSession(onnx, layout);
    return {
      model,
      validate: compileRowValidator(model.signature),
      layout,
      session: packed,
      cost: { 1: 40, 32: 70, 256: 330 },
      lane: 'inline',
      release: packed.release,
    };
  };
};

async function open(openSession: OpenSession, onnx: Uint8Array): Promise<ModelSession> {
  try {
    return await openSession(onnx);
  } catch (cause) {
    throw invalid(`the model file does not load: ${messageOf(cause)}`, cause);
  }
}

function checkInputs({ inputNames }: ModelSession, { signature }: ServedModel): void {
  const expected = signature.inputs.map((input) => input.name);
  const absent = expected.filter((name) => !inputNames.includes(name));
  const extra = inputNames.filter((name) => !expected.includes(name));
  if (absent.length > 0) throw invalid(`the model file lacks input ${absent.join(', ')} of its signature`);
  if (extra.length > 0) throw invalid(`the model file takes input ${extra.join(', ')}, which its signature lacks`);
}

// The file's own label and decision follow the same rule (checked below); strings cost more to fetch than the model.
function scorer({ probabilities }: ModelSession, { classes, decision, threshold }: ModelSignature) {
  const cut = Math.fround(threshold);
  return async (rows: readonly RawRow[]) =>
    Array.from(await probabilities(rows), (probability) => {
      const side = probability >= cut ? 'positive' : 'negative';
      return { label: classes[side], probability, decision: decision[side] };
    });
}

async function checkGoldenRows(
  session: ModelSession,
  score: ReturnType<typeof scorer>,
  { rows, probabilities }: GoldenRows,
): Promise<void> {
  if (rows.length === 0 || rows.length !== probabilities.length) throw invalid('the model has no golden rows');
  const [ours, own] = await Promise.all([score(rows), session.scores(rows)]).catch((cause: unknown) => {
    throw invalid(`the model does not score its golden rows: ${messageOf(cause)}`, cause);
  });
  for (const [row, expected] of probabilities.entries()) {
    const { probability, label, decision } = ours[row]!;
    if (!Number.isFinite(probability)) throw invalid(`golden row ${row}: the model answers ${probability}`);
    if (!(Math.abs(probability - expected) <= GOLDEN_TOLERANCE))
      throw invalid(`golden row ${row}: the model answers ${probability}, not ${expected}`);
    if (own[row]!.label !== label || own[row]!.decision !== decision)
      throw invalid(`golden row ${row}: the model decides ${own[row]!.decision}, its signature ${decision}`);
  }
}

const messageOf = (cause: unknown) => (cause instanceof Error ? cause.message : String(cause));
const invalid = (message: string, cause?: unknown) => new PlatformError('MODEL_INVALID', message, { cause });
