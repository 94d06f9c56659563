import { readFile } from 'node:fs/promises';
import { answerCalls } from '../../lib/answer-calls.ts';
import { openPackedSession, type PackedSession } from './packed-session.ts';
import type { RowBuffers, RowLayout } from './row-buffers.ts';

export type RowsThreadOrder =
  | { readonly does: 'open'; readonly model: number; readonly path: string; readonly layout: RowLayout }
  | { readonly does: 'score'; readonly model: number; readonly buffers: RowBuffers; readonly rows: number }
  | { readonly does: 'release'; readonly model: number };

// The thread of rows-thread.ts.
const sessions = new Map<number, Promise<PackedSession>>();

answerCalls<RowsThreadOrder>(
  async (order) => {
    const { model } = order;
    switch (order.does) {
      case 'open':
        sessions.set(model, open(order.path, order.layout));
        await sessions.get(model);
        return { output: null };
      case 'score':
        return { output: await (await sessions.get(model)!).probabilities(order.buffers, order.rows) };
      case 'release': {
        const session = sessions.get(model);
        sessions.delete(model);
        await (await session)?.release();
        return { output: null };
      }
    }
  },
  async () => {
    for (const session of sessions.values()) await (await session.catch(() => null))?.release();
  },
);

const open = async (path: string, layout: RowLayout) => await openPackedSession(await readFile(path), layout);
