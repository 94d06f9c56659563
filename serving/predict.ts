import { HTTPException } from 'hono/http-exception';
import { notFound, PlatformError } from '../lib/errors.ts';
import type { ModelSlots } from './model-slots.ts';
import type { PredictionCall } from './prediction-front.ts';
import { predictionId } from './prediction-id.ts';
import type { PredictionLog } from './prediction-log/record.ts';
import { costOf } from './rates.ts';
import type { ServedSlot } from './served-slot.ts';

export interface PredictorDeps {
  readonly slots: Pick<ModelSlots<ServedSlot>, 'use'>;
  /** Slot of the default model; null while there is none. */
  readonly defaultSlot: () => string | null;
  /** Does an endpoint of that name exist? Also true while nobody can tell. */
  readonly isKnown: (endpoint: string) => boolean;
  readonly maxRows: number;
  readonly log: PredictionLog;
  readonly onScored: (slot: ServedSlot, rows: number) => void;
}
export type Predictor = ReturnType<typeof createPredictor>;

/**
 * Scores JSON bodies and answers JSON, once the log has what it answers. Throws INVALID with one detail per bad field,
 * NOT_FOUND, or UNAVAILABLE while nothing is served or the log has no room.
 */
export function createPredictor({ slots, defaultSlot, isKnown, maxRows, log, onScored }: PredictorDeps) {
  const onSlot = async <T>(endpoint: string | undefined, work: (slot: ServedSlot) => Promise<T>): Promise<T> => {
    const name = endpoint ?? defaultSlot();
    const answer = name === null ? undefined : slots.use(name, work);
    if (answer) return await answer;
    if (endpoint !== undefined && !isKnown(endpoint)) throw notFound('endpoint', endpoint);
    throw new PlatformError('UNAVAILABLE', `no model is loaded${endpoint ? ` for endpoint '${endpoint}'` : ''} yet`);
  };

  return {
    onSlot,

    /** `body` is the features of one row by name. */
    one: (body: Uint8Array, call: PredictionCall): Promise<string> =>
      onSlot(call.endpoint, async (slot) => {
        const { texts } = slot;
        const { text, value } = parseJson(body);
        const probability = await slot.scoreRow(value);
        const id = predictionId();
        const features = HAS_LINE_BREAK.test(text) ? JSON.stringify(value) : text;
        await log.commit(texts.logLine(id, features, probability, microsecondsOf(call), texts.logSuffix(call)));
        onScored(slot, 1);
        return texts.one(id, probability);
      }),

    /** `body` is `{rows: [...]}`; answers in the order of the rows, all from one model version. */
    batch: (body: Uint8Array, call: PredictionCall): Promise<string> =>
      onSlot(call.endpoint, async (slot) => {
        const { value } = parseJson(body);
        const cost = costOf(value);
        if (cost > 1) await call.charge(cost - 1);
        const rows = rowsOf(value, maxRows);
        const probabilities = await slot.scoreRows(rows);
        const ids = rows.map(() => predictionId());
        await log.commit(linesOf(slot, ids, rows, probabilities, call));
        onScored(slot, rows.length);
        return slot.texts.many(ids, probabilities);
      }),
  };
}

/** Log lines of several rows of one request. */
export function linesOf(
  { texts }: Pick<ServedSlot, 'texts'>,
  ids: readonly string[],
  rows: readonly unknown[],
  probabilities: ArrayLike<number>,
  call: PredictionCall,
): string {
  const [suffix, latency] = [texts.logSuffix(call), microsecondsOf(call)];
  return ids
    .map((id, index) => texts.logLine(id, JSON.stringify(rows[index]), probabilities[index]!, latency, suffix))
    .join('');
}

const HAS_LINE_BREAK = /[\n\r]/;
const microsecondsOf = ({ arrivedMs }: PredictionCall) => Math.round((performance.now() - arrivedMs) * 1000);

/** The array of a batch body. Throws INVALID. */
export function rowsOf(body: unknown, maxRows: number): unknown[] {
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

const utf8 = new TextDecoder();

/** Throws 400. */
function parseJson(bytes: Uint8Array): { readonly text: string; readonly value: unknown } {
  const text = utf8.decode(bytes);
  try {
    return { text, value: JSON.parse(text) };
  } catch {
    return { text, value: parseLeniently(text) };
  }
}

function parseLeniently(text: string): unknown {
  try {
    return JSON.parse(withNotFinite(text));
  } catch (cause) {
    throw new HTTPException(400, { message: 'the body is not JSON', cause });
  }
}

/** Python's json writes NaN and Infinity, which JSON lacks. Read as 1e999 they are refused like it, by field. */
function withNotFinite(text: string): string {
  let quoted = false;
  const outside = (part: string) => {
    if (part === '"') quoted = !quoted;
    return quoted ? part : part.replace(/-?\b(?:NaN|Infinity)\b/g, '1e999');
  };
  return text
    .split(/(\\[^]|")/)
    .map(outside)
    .join('');
}
