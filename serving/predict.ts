import { notFound, PlatformError } from '../lib/errors.ts';
import { lineOf, parseJson, readFlat, rowArrays, rowsOf } from './json-body.ts';
import type { ModelSlots } from './model-slots.ts';
import type { PredictionCall } from './prediction-front.ts';
import { predictionId } from './prediction-id.ts';
import { latencyOf, ROWS_PER_LINE } from './prediction-log/lines.ts';
import type { PredictionLog } from './prediction-log/record.ts';
import { chargeRows } from './rates.ts';
import type { EncodedAnswer } from './open-inference/infer-answer.ts';
import { createBatchLanes } from './scoring/batch-lanes.ts';
import type { BatchBody } from './scoring/batch-orders.ts';
import type { BatchThread } from './scoring/batch-thread.ts';
import type { RowBuffers } from './scoring/row-buffers.ts';
import { scoredLines } from './scored-lines.ts';
import type { ServedSlot } from './served-slot.ts';

export interface PredictorDeps {
  readonly slots: Pick<ModelSlots<ServedSlot>, 'use'>;
  /** Slot of the default model; null while there is none. */
  readonly defaultSlot: () => string | null;
  /** Does an endpoint of that name exist? Also true while nobody can tell. */
  readonly isKnown: (endpoint: string) => boolean;
  readonly maxRows: number;
  readonly log: PredictionLog;
  readonly batchThread: Pick<BatchThread, 'answer' | 'depth'>;
  readonly onScored: (slot: ServedSlot, rows: number) => void;
}
export type Predictor = ReturnType<typeof createPredictor>;

/**
 * Scores JSON bodies and answers JSON, once the log has what it answers. Throws INVALID with one detail per bad field,
 * NOT_FOUND, or UNAVAILABLE while nothing is served or the log has no room.
 */
export function createPredictor(deps: PredictorDeps) {
  const { slots, defaultSlot, isKnown, maxRows, log, batchThread, onScored } = deps;
  const lanes = createBatchLanes(batchThread);
  const onSlot = async <T>(endpoint: string | undefined, work: (slot: ServedSlot) => Promise<T>): Promise<T> => {
    const name = endpoint ?? defaultSlot();
    const answer = name === null ? undefined : slots.use(name, work);
    if (answer) return await answer;
    if (endpoint !== undefined && !isKnown(endpoint)) throw notFound('endpoint', endpoint);
    throw new PlatformError('UNAVAILABLE', `no model is loaded${endpoint ? ` for endpoint '${endpoint}'` : ''} yet`);
  };

  /** Scores packed rows, all with one model version, and has them logged; `features` as `linesOf` takes them. */
  const scoreRows = async (
    slot: ServedSlot,
    buffers: RowBuffers,
    rows: number,
    features: readonly string[],
    call: PredictionCall,
  ) => {
    const { ids, probabilities, lines } = await scoredLines(slot, buffers, rows, features, call);
    for (const line of lines) await log.commit(line);
    onScored(slot, rows);
    return { ids, probabilities };
  };

  /** Answers a batch by `here`, or has the thread answer it. */
  const inLane = (slot: ServedSlot, body: BatchBody, call: PredictionCall, here: () => Promise<EncodedAnswer>) =>
    lanes({ bytes: body.bytes.length, isHeavy: slot.lane === 'thread' }, here, async () => {
      const { rows, answer } = await batchThread.answer(slot, body, call, (count) => chargeRows(call.charge, count));
      onScored(slot, rows);
      return answer;
    });

  return {
    onSlot,
    scoreRows,
    inLane,

    /** `body` is the features of one row by name. */
    one: (body: Uint8Array, call: PredictionCall): Promise<string> =>
      onSlot(call.endpoint, async (slot) => {
        const { texts } = slot;
        const { text, value, scored } = readFlat(body, () => {
          const json = parseJson(body);
          return { ...json, scored: slot.scoreRow(json.value) };
        });
        const probability = await scored;
        const id = predictionId();
        const features = lineOf(text, value);
        await log.commit(texts.logLine(id, features, probability, latencyOf(call), texts.logSuffix(call)));
        onScored(slot, 1);
        return texts.one(id, probability);
      }),

    /** `bytes` are `{rows: [...]}`; answers in the order of the rows, all from one model version. */
    batch: (bytes: Uint8Array<ArrayBuffer>, call: PredictionCall): Promise<string | Uint8Array> =>
      onSlot(call.endpoint, async (slot) => {
        const { body } = await inLane(slot, { bytes, tensors: null }, call, async () => {
          const { text, rows } = readFlat(bytes, () => {
            const json = parseJson(bytes);
            return { text: json.text, rows: rowsOf(json.value, maxRows) };
          });
          await chargeRows(call.charge, rows.length);
          const buffers = readFlat(bytes, () => slot.pack(rows));
          const features = rowArrays(text, rows, ROWS_PER_LINE);
          const { ids, probabilities } = await scoreRows(slot, buffers, rows.length, features, call);
          return { body: slot.texts.many(ids, probabilities), jsonBytes: null };
        });
        return body;
      }),
  };
}
