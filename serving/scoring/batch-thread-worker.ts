import { readFile } from 'node:fs/promises';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { workerData } from 'node:worker_threads';
import { HTTPException } from 'hono/http-exception';
import { answerCalls, type Answered } from '../../lib/answer-calls.ts';
import { PlatformError } from '../../lib/errors.ts';
import { requireParsable } from '../../lib/http/body.ts';
import { createLogger } from '../../lib/log.ts';
import { parseJson, rowArrays, rowsOf } from '../json-body.ts';
import { type InferRequest, readInferRequest } from '../open-inference/infer-request.ts';
import { createInferRows } from '../open-inference/infer-rows.ts';
import { ROWS_PER_LINE } from '../prediction-log/lines.ts';
import { openSpoolWriter } from '../prediction-log/spool-writer.ts';
import { compileRowValidator } from '../row-validator.ts';
import { scoredLines } from '../scored-lines.ts';
import { createServedSlot, type ServedSlot } from '../served-slot.ts';
import type {
  BatchAnswer,
  BatchBody,
  BatchOrder,
  BatchSource,
  BatchThreadSettings,
  ParsedBatch,
  TensorsAsked,
} from './batch-orders.ts';
import { openPackedSession } from './packed-session.ts';
import { layoutOf, type RowBuffers } from './row-buffers.ts';

// The thread of batch-thread.ts.
const { folder, maxRows, logLevel, spool } = workerData as BatchThreadSettings;
const log = createLogger({ service: 'serving', level: logLevel });
const onError = (err: Error) => log.error({ err }, 'the spool cannot be written');
const predictionLog = spool && openSpoolWriter(spool, { name: 'batch', onError });
const inferRows = createInferRows();
const parsed = new Map<number, Parsed>();
const KEPT = 4; // models
let last: Promise<unknown> = Promise.resolve(); // one at a time, so that no model is released in use
const slots = new Map<string, Promise<ServedSlot>>();
const NICE = 10;

// On Linux 0 is this thread alone: single rows come first where there are fewer processors than threads.
if (process.platform === 'linux') setPriority(0, NICE);

answerCalls<BatchOrder>(
  async (order) => {
    switch (order.does) {
      case 'parse':
        return { output: parse(order.job, order.body) };
      case 'score':
        return await (last = last.then(
          () => score(order),
          () => score(order),
        ));
      case 'drop':
        return { output: parsed.delete(order.job) };
    }
  },
  async () => {
    await predictionLog?.close();
    for (const slot of slots.values()) await (await slot).release();
  },
);

type Parsed =
  | { readonly text: string; readonly rows: readonly unknown[] }
  | { readonly modelName: string; readonly request: InferRequest };

function parse(job: number, body: BatchBody): ParsedBatch {
  try {
    const batch = body.tensors === null ? parseRows(body.bytes) : parseTensors(body.bytes, body.tensors);
    parsed.set(job, batch);
    return { rows: 'rows' in batch ? batch.rows.length : batch.request.rows };
  } catch (error) {
    if (error instanceof HTTPException) return { badRequest: error.message };
    throw error;
  }
}

function parseRows(bytes: Uint8Array): Parsed {
  requireParsable(bytes);
  const { text, value } = parseJson(bytes);
  return { text, rows: rowsOf(value, maxRows) };
}

function parseTensors(bytes: Uint8Array, { modelName, headerLength }: TensorsAsked): Parsed {
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { modelName, request: readInferRequest(body, headerLength, maxRows) };
}

async function score({ job, source, request }: Extract<BatchOrder, { does: 'score' }>): Promise<Answered> {
  const batch = parsed.get(job)!;
  parsed.delete(job);
  const slot = await slotOf(source);
  const timed = { ...request, arrivedMs: request.arrivedEpochMs - performance.timeOrigin };
  const scoreAndLog = async (buffers: RowBuffers, rows: number, features: readonly string[]) => {
    const { ids, probabilities, lines } = await scoredLines(slot, buffers, rows, features, timed);
    predictionLog?.append(Buffer.from(lines.join('')));
    return { ids, probabilities };
  };
  if ('request' in batch) {
    const { modelName, request } = batch;
    const { body, jsonBytes } = await inferRows(slot, modelName, request, (buffers, features) =>
      scoreAndLog(buffers, request.rows, features),
    );
    return answerOf(body, jsonBytes);
  }
  const { text, rows } = batch;
  const features = rowArrays(text, rows, ROWS_PER_LINE);
  const { ids, probabilities } = await scoreAndLog(slot.pack(rows), rows.length, features);
  return answerOf(slot.texts.many(ids, probabilities), null);
}

/** In memory of its own, which can be given away: small buffers share theirs. */
function answerOf(body: string | Uint8Array, jsonBytes: number | null): Answered {
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : new Uint8Array(body);
  return { output: { body: bytes, jsonBytes } satisfies BatchAnswer, moved: [bytes.buffer] };
}

/** The most recently used are kept. */
async function slotOf(source: BatchSource): Promise<ServedSlot> {
  const key = JSON.stringify([source.endpoint, source.revision, source.model.modelName, source.model.version]);
  const known = slots.get(key) ?? open(source);
  slots.delete(key);
  slots.set(key, known);
  for (const [oldest, slot] of slots) {
    if (slots.size <= KEPT) break;
    slots.delete(oldest);
    void slot.then(({ release }) => release());
  }
  return await known.catch((error: unknown) => {
    slots.delete(key);
    throw error;
  });
}

async function open({ endpoint, revision, model }: BatchSource): Promise<ServedSlot> {
  const { signature } = model;
  const layout = layoutOf(signature.inputs);
  const session = await openPackedSession(await modelFile(model.onnxSha256), layout);
  const cost = { 1: 0, 32: 0, 256: 0 };
  const validate = compileRowValidator(signature);
  return createServedSlot(
    { model, validate, layout, session, cost, lane: 'thread', release: session.release },
    { endpoint, revision },
  );
}

async function modelFile(sha256: string): Promise<Uint8Array> {
  try {
    return await readFile(join(folder, sha256));
  } catch (cause) {
    throw new PlatformError('UNAVAILABLE', 'the model has just been replaced; try again', { cause });
  }
}
