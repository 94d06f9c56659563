import { readFile } from 'node:fs/promises';
import { parentPort } from 'node:worker_threads';
import { openPackedSession, type PackedSession } from './packed-session.ts';
import type { RowBuffers, RowLayout } from './row-buffers.ts';

export type RowsThreadOrder =
  | { readonly does: 'open'; readonly model: number; readonly path: string; readonly layout: RowLayout }
  | { readonly does: 'score'; readonly model: number; readonly buffers: RowBuffers; readonly rows: number }
  | { readonly does: 'release'; readonly model: number };
/** `call` is the caller's number for it. */
export interface RowsThreadCall {
  readonly call: number;
  readonly order: RowsThreadOrder;
}
export type RowsThreadAnswer =
  | { readonly call: number; readonly probabilities: Float32Array | null }
  | { readonly call: number; readonly error: string };

// The thread of rows-thread.ts. null closes it: it ends by itself, for a thread with ONNX Runtime in it must not be killed.
const port = parentPort!;
const sessions = new Map<number, Promise<PackedSession>>();
const answering = new Set<Promise<void>>();

port.on('message', (message: RowsThreadCall | null) => {
  if (!message) return void close();
  const answered = answer(message).finally(() => answering.delete(answered));
  answering.add(answered);
});

async function answer({ call, order }: RowsThreadCall): Promise<void> {
  try {
    post({ call, probabilities: await follow(order) });
  } catch (error) {
    post({ call, error: error instanceof Error ? error.message : String(error) });
  }
}

async function follow(order: RowsThreadOrder): Promise<Float32Array | null> {
  const { model } = order;
  switch (order.does) {
    case 'open':
      sessions.set(model, open(order.path, order.layout));
      await sessions.get(model);
      return null;
    case 'score':
      return await (await sessions.get(model)!).probabilities(order.buffers, order.rows);
    case 'release': {
      const session = sessions.get(model);
      sessions.delete(model);
      await (await session)?.release();
      return null;
    }
  }
}

const open = async (path: string, layout: RowLayout) => await openPackedSession(await readFile(path), layout);
const post = (answer: RowsThreadAnswer) => port.postMessage(answer);

async function close(): Promise<void> {
  await Promise.all(answering);
  port.close();
  for (const session of sessions.values()) await (await session.catch(() => null))?.release();
}
