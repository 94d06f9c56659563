import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { endChild } from '../../lib/child-process.ts';
import { keepRunning, type Running } from '../../lib/keep-running.ts';
import { PlatformError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/log.ts';
import { SUPERVISED } from '../../lib/shutdown.ts';
import type { Door, Taker } from './door.ts';
import { asMessage, type FromMember, PLACE, type ToMember } from './messages.ts';
import type { SharedMetrics } from './shared-metrics.ts';

export interface ProcessesOptions {
  readonly count: number;
  /** Path of their main file. */
  readonly main: string;
  readonly env: NodeJS.ProcessEnv;
  /** SIGKILL follows SIGTERM after this long. */
  readonly graceMs: number;
  readonly door: Pick<Door, 'add' | 'remove'>;
  readonly metrics: SharedMetrics;
  readonly onRestart: () => void;
  readonly log: Pick<Logger, 'warn'>;
}

/**
 * Starts processes that share the door, and starts again what ends. Resolves when all take connections; throws
 * UNAVAILABLE, with the others stopped, when one of them ends before.
 */
export async function startProcesses(options: ProcessesOptions) {
  const { count, log, onRestart } = options;
  const keep = (index: number) => {
    let starts = 0;
    const start = () => {
      if (starts++ > 0) onRestart();
      return startMember(index, options);
    };
    return keepRunning(start, { name: `serving process ${index}`, report: (line) => log.warn(line) });
  };
  const starting = Array.from({ length: count }, (_, index) => keep(index));
  const stop = async () => {
    const settled = await Promise.allSettled(starting);
    await Promise.all(settled.flatMap((kept) => (kept.status === 'fulfilled' ? [kept.value.stop()] : [])));
  };
  try {
    await Promise.all(starting);
  } catch (error) {
    await stop();
    throw error;
  }
  return { stop };
}

async function startMember(index: number, options: ProcessesOptions): Promise<Running> {
  const { count, main, env, graceMs } = options;
  const child = fork(main, [], {
    env: { ...env, [SUPERVISED]: '1', [PLACE]: `${index}/${count}` },
    serialization: 'advanced', // JSON has no NaN
  });
  const ended = once(child, 'exit').then(([code, signal]) => (code as number | null) ?? (signal as string));
  const ready = serveMember(child, String(index), options);
  await Promise.race([ready, ended.then((status) => Promise.reject(neverReady(index, status)))]);
  const stop = () => endChild(child, ended, graceMs);
  return { pid: child.pid!, ended, stop };
}

/** Does what the process asks for until it is gone. Resolves when it takes connections. */
function serveMember(child: ChildProcess, name: string, { door, metrics }: ProcessesOptions): Promise<void> {
  const tell = (message: ToMember) => void child.send(asMessage(message), () => undefined); // gone: 'disconnect' follows
  const taker: Taker = {
    take: (socket, refused) =>
      void child.send(asMessage({ type: 'connection' }), socket, {}, (error) => error && refused()),
    hold: () => tell({ type: 'hold' }),
  };
  const ask = (round: number) => tell({ type: 'collect', round });
  const ready = Promise.withResolvers<void>();

  child.on('message', (message: FromMember) => {
    if (message.type === 'ready') {
      door.add(taker);
      metrics.add(ask);
      ready.resolve();
    } else if (message.type === 'leaving') {
      door.remove(taker);
      tell({ type: 'left' });
    } else if (message.type === 'scrape') {
      void metrics.collect().then((snapshots) => tell({ type: 'scraped', snapshots }));
    } else metrics.receive(ask, name, message.round, message.snapshot);
  });
  child.once('disconnect', () => {
    door.remove(taker);
    metrics.remove(ask);
  });
  return ready.promise;
}

const neverReady = (index: number, status: number | string) =>
  new PlatformError(
    'UNAVAILABLE',
    `serving process ${index} ended with ${status} before it was ready; it has said why`,
  );
