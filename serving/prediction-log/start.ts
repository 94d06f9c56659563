import type { Logger } from '../../lib/log.ts';
import type { InsertPredictions } from './folder-shipper.ts';
import type { PredictionLog } from './record.ts';
import { type ShippingState, startShipper } from './shipper.ts';
import { createCounterMemory, openSpoolCounters } from './spool-counters.ts';
import { openSpoolWriter, type SpoolSettings } from './spool-writer.ts';

export interface PredictionLogDeps extends Pick<SpoolSettings, 'folder' | 'maxBytes' | 'whenFull' | 'syncMs'> {
  /** Spools that processes of an earlier start left behind; one process of this start ships them. */
  readonly orphans?: readonly string[];
  readonly insert: InsertPredictions;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
}
export interface PredictionLogState extends ShippingState {
  /** Predictions answered without being kept. */
  readonly dropped: number;
  /** Predictions not answered because they could not be kept. */
  readonly refused: number;
}
export interface RunningPredictionLog {
  readonly log: PredictionLog;
  /** What another thread opens its own writer with (`openSpoolWriter`); null when nothing is logged. */
  readonly spool: SpoolSettings | null;
  readonly state: () => PredictionLogState;
  /** Ships what is left, as far as there is time. */
  readonly stop: () => Promise<void>;
}

const STOP_MS = 4_000;

/** The prediction log of one process: a spool on disk and what ships it. Throws when the folder cannot be made. */
export function startPredictionLog(deps: PredictionLogDeps): RunningPredictionLog {
  const { folder, maxBytes, whenFull, syncMs, orphans = [], insert, log } = deps;
  const spool: SpoolSettings = { folder, maxBytes, whenFull, syncMs, counters: createCounterMemory() };
  const counters = openSpoolCounters(spool.counters);
  const onError = (err: Error) => log.error({ err }, 'the spool cannot be written');
  const writer = openSpoolWriter(spool, { name: 'main', onError });
  const shipper = startShipper({ folder, orphans, counters, maxBytes, insert, log });
  return {
    log: writer,
    spool,
    state: () => ({ ...shipper.state(), dropped: counters.read('dropped'), refused: counters.read('refused') }),
    stop: async () => {
      await writer.close().catch(onError);
      await shipper.stop(STOP_MS);
    },
  };
}

/** In its place when nothing is to be logged. */
export const noPredictionLog: RunningPredictionLog = {
  log: { commit: () => Promise.resolve() },
  spool: null,
  state: () => ({ pendingBytes: 0, oldestAgeSeconds: 0, shipped: 0, rejected: 0, dropped: 0, refused: 0 }),
  stop: () => Promise.resolve(),
};
