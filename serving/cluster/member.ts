import type { Socket } from 'node:net';
import type { Registry } from 'prom-client';
import type { Snapshot } from '../../lib/exposition.ts';
import type { HandedOver } from '../../lib/http/handed-over.ts';
import { asMessage, type FromMember, PLACE, type ToMember } from './messages.ts';
import { sumOf } from './shared-metrics.ts';

export interface Place {
  /** 0 for the first, and for one that serves alone. */
  readonly index: number;
  readonly count: number;
  readonly alone: boolean;
}

/** Which of the processes that share a port this one is. Its children are none of them. */
export function takePlace(env: NodeJS.ProcessEnv): Place {
  const [index, count] = (env[PLACE] ?? '').split('/').map(Number);
  delete env[PLACE];
  return count === undefined ? { index: 0, count: 1, alone: true } : { index: index!, count, alone: false };
}

/** This process's line to the one that accepts its connections and knows the others. */
export function joinCluster(registry: Registry) {
  let take = (_socket: Socket) => {};
  let hold = () => {};
  let scraping: PromiseWithResolvers<readonly Snapshot[]> | null = null;
  const left = Promise.withResolvers<void>();
  const tell = (message: FromMember) => {
    if (process.connected) process.send!(asMessage(message), () => undefined); // gone: 'disconnect' follows
  };
  const snapshot = async (round: number) =>
    tell({ type: 'snapshot', round, snapshot: await registry.getMetricsAsJSON() });

  process.on('message', (message: ToMember, socket?: Socket) => {
    if (message.type === 'connection') {
      if (socket) take(socket); // none: its caller has hung up
    } else if (message.type === 'hold') hold();
    else if (message.type === 'left') left.resolve();
    else if (message.type === 'collect') void snapshot(message.round);
    else scraping?.resolve(message.snapshots);
  });
  process.once('disconnect', () => {
    left.resolve();
    scraping?.reject(new Error('the process that knows the metrics of all is gone'));
  });

  const connections: HandedOver = {
    start: (taker, holder) => {
      [take, hold] = [taker, holder];
      tell({ type: 'ready' });
    },
    stop: async () => {
      if (!process.connected) return;
      tell({ type: 'leaving' });
      await left.promise;
    },
  };
  const scrape = async () => {
    if (!scraping) {
      scraping = Promise.withResolvers();
      tell({ type: 'scrape' });
    }
    const { promise } = scraping;
    return await sumOf(await promise.finally(() => (scraping = null)));
  };
  return { connections, /** Metrics of all processes. */ scrape };
}
