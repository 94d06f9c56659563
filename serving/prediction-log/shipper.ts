import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../../lib/log.ts';
import { repeat } from '../../lib/repeat.ts';
import { createFolderShipper, type InsertPredictions, type SpoolState } from './folder-shipper.ts';
import type { SpoolCounters } from './spool-counters.ts';

export interface ShipperDeps {
  /** The spool of this process. */
  readonly folder: string;
  /** Spools of earlier processes. */
  readonly orphans: readonly string[];
  readonly counters: SpoolCounters;
  /** The most the spool may hold. */
  readonly maxBytes: number;
  readonly insert: InsertPredictions;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
}
export interface ShippingState {
  /** In the spool, not yet in Postgres. */
  readonly pendingBytes: number;
  /** 0 when nothing waits. */
  readonly oldestAgeSeconds: number;
  readonly shipped: number;
  /** Lines that can never be stored, put aside in the spool. */
  readonly rejected: number;
}
export type Shipper = ReturnType<typeof startShipper>;

const POLL_MS = 500;
const LONGEST_WAIT_MS = 5_000;
// Requests come before rows in Postgres, which often shares its processors with them: while they keep the event loop or a
// processor busy and the spool is at most half full, a batch is followed by a pause of nine times as long as it took.
const UNHURRIED_SHARE = 0.5;
const BUSY = 0.7; // of the time
const PAUSE = 9;

/** Ships spools to Postgres, a batch at a time, until `stop`. While Postgres is away it tries again, waiting longer each time. */
export function startShipper({ folder, orphans, counters, maxBytes, insert, log }: ShipperDeps) {
  const onRejected = (err: unknown) => log.error({ err }, 'a prediction cannot be stored and lies in rejected.jsonl');
  const look = () => ({ atMs: performance.now(), loop: performance.eventLoopUtilization(), cpu: process.cpuUsage() });
  let looked = look();
  /** Since it was last asked. */
  const isBusy = () => {
    const before = looked;
    looked = look();
    const { utilization } = performance.eventLoopUtilization(looked.loop, before.loop);
    const cpuUs = looked.cpu.user + looked.cpu.system - before.cpu.user - before.cpu.system;
    return utilization > BUSY || cpuUs / 1000 > BUSY * (looked.atMs - before.atMs);
  };
  const pace = async (tookMs: number) => {
    const mayWait = !hurrying && pendingBytes() < UNHURRIED_SHARE * maxBytes;
    if (isBusy() && mayWait) await delay(PAUSE * tookMs, undefined, { ref: false });
  };
  const shippers = [folder, ...orphans].map((each) => createFolderShipper({ folder: each, insert, pace, onRejected }));
  let own: SpoolState = { bytes: 0, settledBytes: 0, waitingSinceMs: null };
  let emptyAtMs = 0;
  let failures = 0;
  let nextTryMs = 0;
  let hurrying = false;
  let stopping = false;
  const pendingBytes = () => Math.max(0, counters.read('used') - own.settledBytes);

  const measure = async () => {
    own = await shippers[0]!.measure();
    counters.set('used', own.bytes);
  };
  const shipAll = async () => {
    for (let more = true; more && !stopping;) {
      more = false;
      for (const shipper of shippers) {
        const startedMs = Date.now();
        const left = await shipper.ship();
        if (shipper === shippers[0] && !left) emptyAtMs = startedMs;
        more ||= left;
        await measure();
      }
    }
  };
  const tryShipping = async (): Promise<void> => {
    try {
      await measure();
      await shipAll();
      if (failures > 0) log.info('predictions reach Postgres again');
      failures = 0;
    } catch (err) {
      if (failures++ === 0) log.warn({ err }, 'predictions stay in the spool for now');
      nextTryMs = Date.now() + Math.min(POLL_MS * 2 ** failures, LONGEST_WAIT_MS);
      await measure().catch(() => undefined);
    }
  };
  const repeating = repeat(async () => {
    if (Date.now() >= nextTryMs) await tryShipping();
  }, POLL_MS);

  return {
    state: (): ShippingState => {
      const sinceMs = Math.max(own.waitingSinceMs ?? 0, emptyAtMs);
      return {
        pendingBytes: pendingBytes(),
        oldestAgeSeconds: pendingBytes() === 0 ? 0 : Math.max(0, Date.now() - sinceMs) / 1000,
        shipped: sum(shippers.map((shipper) => shipper.shipped())),
        rejected: sum(shippers.map((shipper) => shipper.rejected())),
      };
    },

    /** Tries once more to ship all that is left, for at most `withinMs`. The rest stays for the next start. */
    stop: async (withinMs: number): Promise<void> => {
      hurrying = true;
      const rest = repeating.stop().then(() => (failures === 0 ? tryShipping() : undefined));
      const late = delay(withinMs, undefined, { ref: false }).then(() => void (stopping = true));
      await Promise.race([rest, late]);
    },
  };
}

const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);
