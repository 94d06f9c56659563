import { PlatformError, type ErrorDetail } from '../lib/errors.ts';
import type { RawRow } from '../ml/signature.ts';
import type { LoadedModel } from './loaded-model.ts';
import { type AnswerTexts, compileAnswerTexts } from './scoring/answer-texts.ts';
import { createMicroBatcher, type MicroBatcher } from './scoring/micro-batcher.ts';
import { createRowBuffers, type RowBuffers, rowRange } from './scoring/row-buffers.ts';
import { compileRowWriter, writeCheckedRow } from './scoring/row-writer.ts';

/** A loaded model under the name it is served by. `endpoint` and `revision` are null for a pinned version. */
export interface ServedSlot extends LoadedModel {
  readonly endpoint: string | null;
  readonly revision: number | null;
  readonly texts: AnswerTexts;
  /** The probability of one row, scored with what else has just arrived. Throws INVALID; rejects with MODEL_INVALID. */
  readonly scoreRow: (row: unknown) => Promise<number>;
  /** Rows as the model takes them. Throws INVALID when one breaks a rule. */
  readonly pack: (rows: readonly unknown[]) => RowBuffers;
  /** The probabilities of packed rows, in slices between which other work has its turn. Rejects with MODEL_INVALID when the model answers no number. */
  readonly scorePacked: (buffers: RowBuffers, rows: number) => Promise<Float32Array>;
  /** Rows that wait for their score. */
  readonly waiting: MicroBatcher['depth'];
}

export type OnBatch = (slot: Pick<ServedSlot, 'endpoint' | 'model'>, rows: number) => void;
export interface ServedAs {
  readonly endpoint: string | null;
  readonly revision: number | null;
  /** Told of every micro-batch. */
  readonly onBatch?: OnBatch;
}

const MAX_BATCH_ROWS = 64;
const INLINE_BATCH_US = 1_000;
const THREAD_BATCH_US = 20_000;
const MAX_ERRORS = 100; // a wrong batch repeats itself

/** Gives a loaded model its name, and what is made once for all of its requests. */
export function createServedSlot(loaded: LoadedModel, { endpoint, revision, onBatch }: ServedAs): ServedSlot {
  const { model, layout, session, validate } = loaded;
  const write = compileRowWriter(model.signature);
  const sliceRows = rowsInTime(loaded);
  const maxRows = Math.min(sliceRows, MAX_BATCH_ROWS);
  const counted = { endpoint, model };
  const batcher = createMicroBatcher({ session, layout, maxRows, onBatch: (rows) => onBatch?.(counted, rows) });

  // Writes a row that the compiled writer took for wrong, if it is right after all.
  const writeSlowly = (row: unknown, buffers: RowBuffers, index: number, path: string, errors: ErrorDetail[]) => {
    const before = errors.length;
    const complete = validate(row, path, errors);
    if (errors.length === before) writeCheckedRow(complete, layout, buffers, index);
  };
  const inSlices = async (buffers: RowBuffers, rows: number) => {
    const probabilities = new Float32Array(rows);
    for (let from = 0; from < rows; from += sliceRows) {
      const to = Math.min(from + sliceRows, rows);
      probabilities.set(await session.probabilities(rowRange(buffers, layout, from, to), to - from), from);
    }
    return probabilities;
  };
  const scorePacked = async (buffers: RowBuffers, rows: number) => {
    const probabilities = await (rows <= sliceRows ? session.probabilities(buffers, rows) : inSlices(buffers, rows));
    const bad = probabilities.findIndex((probability) => !Number.isFinite(probability));
    if (bad >= 0) throw new PlatformError('MODEL_INVALID', `the model answered no number for row ${bad}`);
    return probabilities;
  };

  return {
    ...loaded,
    endpoint,
    revision,
    texts: compileAnswerTexts({ endpoint, revision, model }),
    waiting: batcher.depth,
    scorePacked,
    scoreRow: (row) => {
      const scored = batcher.add((buffers, index) => write(row, buffers, index));
      if (scored) return scored;
      const errors: ErrorDetail[] = [];
      const complete: RawRow = validate(row, '', errors);
      refuse(errors);
      return batcher.add((buffers, index) => (writeCheckedRow(complete, layout, buffers, index), true))!;
    },
    pack: (rows) => {
      const buffers = createRowBuffers(layout, rows.length);
      const errors: ErrorDetail[] = [];
      for (let index = 0; index < rows.length && errors.length < MAX_ERRORS; index++) {
        if (!write(rows[index], buffers, index)) writeSlowly(rows[index], buffers, index, `rows[${index}]`, errors);
      }
      refuse(errors);
      return buffers;
    },
  };
}

/** How many rows may be scored before other work gets its turn. */
function rowsInTime({ lane, cost }: LoadedModel): number {
  const perRow = Math.max((cost[256] - cost[1]) / 255, 0.1);
  return Math.max(1, Math.floor((lane === 'inline' ? INLINE_BATCH_US : THREAD_BATCH_US) / perRow));
}

function refuse(errors: readonly ErrorDetail[]): void {
  if (errors.length === 0) return;
  const details = errors.slice(0, MAX_ERRORS);
  const fields = errors.length === 1 ? details[0]!.path : `${errors.length} fields`;
  throw new PlatformError('INVALID', `the request is not valid: ${fields}`, { details });
}
