import { readFile, stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { ServedModel } from '../db/endpoints.ts';
import { PlatformError } from '../lib/errors.ts';
import type { GoldenRows } from '../ml/signature.ts';
import type { LoadedModel } from './loaded-model.ts';
import type { ModelCache } from './model-cache.ts';
import { compileRowValidator } from './row-validator.ts';
import type { ModelOpening } from './scoring/model-opening.ts';
import { openPackedSession } from './scoring/packed-session.ts';
import { layoutOf } from './scoring/row-buffers.ts';
import type { TrialResult } from './scoring/trial.ts';

export interface LoaderDeps {
  readonly cache: Pick<ModelCache, 'file'>;
  readonly opening: Pick<ModelOpening, 'tryModel' | 'openOnThread'>;
  /** Before another try when the artifact store is away. */
  readonly retryDelayMs?: number;
}
export type LoadModel = (model: ServedModel) => Promise<LoadedModel>;

const ATTEMPTS = 3;
// How long one row, and opening the file, may keep the event loop from all else.
const INLINE_ROW_US = 200;
const INLINE_LOAD_MS = 100;

/**
 * Downloads and verifies a model version, tries it in another process, and only then opens it in this one. Throws
 * MODEL_INVALID (it does not load, takes other inputs, or does not answer its golden rows), or UNAVAILABLE / NOT_FOUND
 * from the artifact store.
 */
export const createModelLoader = ({ cache, opening, retryDelayMs = 500 }: LoaderDeps): LoadModel => {
  const file = async (sha256: string, attempt = 1): Promise<string> => {
    try {
      return await cache.file(sha256);
    } catch (error) {
      const passing = error instanceof PlatformError && error.code === 'UNAVAILABLE';
      if (!passing || attempt === ATTEMPTS) throw error;
      await delay(retryDelayMs * attempt);
      return await file(sha256, attempt + 1);
    }
  };

  // Keeps no model from being served: it is fetched again when it is asked for.
  const fetchExplainer = async ({ explainerSha256 }: ServedModel) => {
    if (explainerSha256) await cache.file(explainerSha256).catch(() => undefined);
  };

  return async (model) => {
    const { signature } = model;
    const asked = performance.now();
    const wanted = [file(model.onnxSha256), file(model.goldenRowsSha256), fetchExplainer(model)] as const;
    const [path, goldenPath] = await Promise.all(wanted);
    const golden = JSON.parse(await readFile(goldenPath, 'utf8')) as GoldenRows;
    if (golden.rows.length === 0 || golden.rows.length !== golden.probabilities.length)
      throw new PlatformError('MODEL_INVALID', 'the model has no golden rows');
    const trial = await opening.tryModel({ path, golden, signature });
    const [lane, layout] = [laneOf(trial), layoutOf(signature.inputs)];
    const session =
      lane === 'inline'
        ? await openPackedSession(await readFile(path), layout)
        : await opening.openOnThread(path, layout);
    const validate = compileRowValidator(signature);
    const opened = { bytes: (await stat(path)).size, seconds: (performance.now() - asked) / 1000 };
    return { model, validate, layout, session, cost: trial.cost, lane, opened, release: session.release };
  };
};

const laneOf = ({ cost, loadMs }: TrialResult): LoadedModel['lane'] =>
  cost[1] < INLINE_ROW_US && loadMs < INLINE_LOAD_MS ? 'inline' : 'thread';
