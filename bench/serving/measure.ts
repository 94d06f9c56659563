import { setTimeout as delay } from 'node:timers/promises';
import type { Load } from './load.ts';
import { cpuSecondsOf, forgetPeaks, peakMibOf } from './process-tree.ts';
import type { BenchServer } from './server.ts';

const QUIET_LOOK_MS = 500;
const QUIET_SHARE = 0.05; // of one processor
const QUIET_LOOKS = 3; // in a row: a database waits for its disk now and then
const QUIET_WAIT_MS = 120_000;

/** Of one server under one load, once. */
export interface Measured {
  readonly requests_per_second: number;
  /** Of the server's processes, until what the load left them to do was done too. */
  readonly cpu_us: number;
  /** The same with its database, where it has one. */
  readonly cpu_with_database_us: number;
  readonly peak_mib: number;
}

export async function measure(
  { pid, databasePid }: Pick<BenchServer, 'pid' | 'databasePid'>,
  load: Load,
  connections: number,
  seconds: number,
): Promise<Measured> {
  const ofDatabase = () => (databasePid === undefined ? Promise.resolve(0) : cpuSecondsOf(databasePid));
  const cpu = () => Promise.all([cpuSecondsOf(pid), ofDatabase()]);
  await forgetPeaks(pid);
  const [before, databaseBefore] = await cpu();
  const { requests, seconds: took } = await load.run(connections, seconds);
  await untilQuiet(async () => (await cpu()).reduce((sum, one) => sum + one, 0));
  const [after, databaseAfter] = await cpu();
  return {
    requests_per_second: requests / took,
    cpu_us: ((after - before) * 1e6) / requests,
    cpu_with_database_us: ((after - before + databaseAfter - databaseBefore) * 1e6) / requests,
    peak_mib: await peakMibOf(pid),
  };
}

/** Waits until next to nothing is done, so that no server works while another one is measured. */
async function untilQuiet(cpuSeconds: () => Promise<number>): Promise<void> {
  const deadline = performance.now() + QUIET_WAIT_MS;
  for (let [before, quiet] = [await cpuSeconds(), 0]; ;) {
    await delay(QUIET_LOOK_MS);
    const now = await cpuSeconds();
    quiet = now - before < (QUIET_SHARE * QUIET_LOOK_MS) / 1000 ? quiet + 1 : 0;
    if (quiet === QUIET_LOOKS) return;
    if (performance.now() > deadline)
      throw new Error(`a server is still busy ${QUIET_WAIT_MS / 1000} s after its load`);
    before = now;
  }
}
