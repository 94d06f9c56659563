import { setImmediate as nextTurn } from 'node:timers/promises';
import { notFound, PlatformError, type ErrorDetail } from '../lib/errors.ts';
import type { RawRow } from '../ml/signature.ts';
import type { Score, ServedSlot } from './loaded-model.ts';
import type { ModelSlots } from './model-slots.ts';
import { predictionId } from './prediction-id.ts';

const SLICE = 128; // rows scored before other requests get a turn
const MAX_ERRORS = 100; // a wrong batch repeats itself

export interface PredictorDeps {
  readonly slots: Pick<ModelSlots<ServedSlot>, 'use'>;
  /** Slot of the default model; null while there is none. */
  readonly defaultSlot: () => string | null;
  /** Does an endpoint of that name exist? Also true while nobody can tell. */
  readonly isKnown: (endpoint: string) => boolean;
  readonly maxRows: number;
  readonly onScored: (slot: ServedSlot, rows: number) => void;
}
export interface PredictionAnswer extends Score {
  readonly prediction_id: string;
  readonly threshold: number;
}
export interface ServedBy {
  readonly endpoint: string | null;
  readonly model: { readonly name: string; readonly version: number };
}
export type SingleAnswer = ServedBy & PredictionAnswer;
export type BatchAnswer = ServedBy & { readonly predictions: readonly PredictionAnswer[] };
export type Predictor = ReturnType<typeof createPredictor>;

/** Validates and scores. Throws INVALID with one detail per bad field, NOT_FOUND, or UNAVAILABLE while nothing is served. */
export function createPredictor({ slots, defaultSlot, isKnown, maxRows, onScored }: PredictorDeps) {
  const onSlot = async <T>(endpoint: string | undefined, work: (slot: ServedSlot) => Promise<T>): Promise<T> => {
    const name = endpoint ?? defaultSlot();
    const answer = name === null ? undefined : await slots.use(name, async (slot) => ({ value: await work(slot) }));
    if (answer) return answer.value;
    if (endpoint !== undefined && !isKnown(endpoint)) throw notFound('endpoint', endpoint);
    throw new PlatformError('UNAVAILABLE', `no model is loaded${endpoint ? ` for endpoint '${endpoint}'` : ''} yet`);
  };
  const answerRows = async (slot: ServedSlot, rows: readonly RawRow[]): Promise<PredictionAnswer[]> => {
    const { threshold } = slot.model.signature;
    const scores = await scoreInSlices(slot, rows);
    onScored(slot, rows.length);
    return scores.map(({ label, probability, decision }) => ({
      prediction_id: predictionId(),
      label,
      probability,
      decision,
      threshold,
    }));
  };

  return {
    /** `body` is the features of one row by name; without `endpoint` the default model answers. */
    one: (body: unknown, endpoint?: string): Promise<SingleAnswer> =>
      onSlot(endpoint, async (slot) => {
        const errors: ErrorDetail[] = [];
        const row = slot.validate(body, '', errors);
        refuse(errors);
        const [answer] = await answerRows(slot, [row]);
        return { ...answer!, ...servedBy(slot) };
      }),

    /** `body` is `{rows: [...]}`; answers in the order of the rows, all from one model version. */
    batch: (body: unknown, endpoint?: string): Promise<BatchAnswer> =>
      onSlot(endpoint, async (slot) => {
        const rows = rowsOf(body, maxRows);
        const errors: ErrorDetail[] = [];
        const complete: RawRow[] = [];
        for (let index = 0; index < rows.length && errors.length < MAX_ERRORS; index++) {
          complete.push(slot.validate(rows[index], `rows[${index}]`, errors));
          if (index % SLICE === SLICE - 1) await nextTurn();
        }
        refuse(errors);
        return { ...servedBy(slot), predictions: await answerRows(slot, complete) };
      }),
  };
}

async function scoreInSlices(slot: ServedSlot, rows: readonly RawRow[]): Promise<Score[]> {
  const scores: Score[] = [];
  for (let start = 0; start < rows.length; start += SLICE) {
    if (start > 0) await nextTurn();
    scores.push(...(await slot.score(rows.slice(start, start + SLICE))));
  }
  const bad = scores.findIndex(({ probability }) => !Number.isFinite(probability));
  if (bad >= 0) throw new PlatformError('MODEL_INVALID', `the model answered no number for row ${bad}`);
  return scores;
}

function rowsOf(body: unknown, maxRows: number): unknown[] {
  if (typeof body !== 'object' || body === null || !('rows' in body) || !Array.isArray(body.rows))
    throw badBatch('rows', 'required', 'the body must be {"rows": [...]}');
  const extra = Object.keys(body).find((key) => key !== 'rows');
  if (extra !== undefined) throw badBatch(extra, 'unknown_field', 'the body must be {"rows": [...]}');
  if (body.rows.length === 0) throw badBatch('rows', 'min_items', 'must hold at least one row');
  if (body.rows.length > maxRows) throw badBatch('rows', 'max_items', `must hold at most ${maxRows} rows`);
  return body.rows;
}

const badBatch = (path: string, rule: string, message: string) =>
  new PlatformError('INVALID', `the batch is not valid: ${path} ${message}`, { details: [{ path, rule, message }] });

function refuse(errors: readonly ErrorDetail[]): void {
  if (errors.length === 0) return;
  const details = errors.slice(0, MAX_ERRORS);
  const fields = errors.length === 1 ? details[0]!.path : `${errors.length} fields`;
  throw new PlatformError('INVALID', `the request is not valid: ${fields}`, { details });
}

const servedBy = ({ endpoint, model }: ServedSlot): ServedBy => ({
  endpoint,
  model: { name: model.modelName, version: model.version },
});
