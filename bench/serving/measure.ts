import { setTimeout as delay } from 'node:timers/promises';
import type { Load } from './load.ts';
import { cpuSecondsOf, forgetPeaks, peakMibOf } from './process-tree.ts';
import type { BenchServer } from './server.ts';

const QUIET_LOOK_MS = 500;
const QUIET_SHARE = 0.05; // of one processor
const QUIET_LOOKS = 3; // in a row: a database waits for its disk now and then
const QUIET_WAIT_MS = 300_000;

/** Of one server under one load, once. */
export interface Measured {
  readonly requests_per_second: number;
  /** Of the server's processes, until what the load left them to do was done too. */
  readonly cpu_us: number;
  /** The same with its database, where it has one. */
  readonly cpu_with_database_us: number;
  readonly peak_mib: number;
}

type Processes = Pick<BenchServer, 'pid' | 'databasePid'>;

export async function measure(server: Processes, load: Load, connections: number, seconds: number): Promise<Measured> {
  await forgetPeaks(server.pid);
  const [before, databaseBefore] = await cpuSeconds(server);
  const { requests, seconds: took } = await load.run(connections, seconds);
  await untilQuiet(server);
  const [after, databaseAfter] = await cpuSeconds(server);
  return {
    requests_per_second: requests / took,
    cpu_us: ((after - before) * 1e6) / requests,
    cpu_with_database_us: ((after - before + databaseAfter - databaseBefore) * 1e6) / requests,
    peak_mib: await peakMibOf(server.pid),
  };
}

const cpuSeconds = ({ pid, databasePid }: Processes) =>
  Promise.all([cpuSecondsOf(pid), databasePid === undefined ? 0 : cpuSecondsOf(databasePid)]);

/** Waits until a server and its database do next to nothing, so that they disturb nobody who is measured. */
export async function untilQuiet(server: Processes): Promise<void> {
  const spent = async () => (await cpuSeconds(server)).reduce((sum, one) => sum + one, 0);
  const deadline = performance.now() + QUIET_WAIT_MS;
  for (let [before, quiet] = [await spent(), 0]; ;) {
    await delay(QUIET_LOOK_MS);
    const now = await spent();
    quiet = now - before < (QUIET_SHARE * QUIET_LOOK_MS) / 1000 ? quiet + 1 : 0;
    if (quiet === QUIET_LOOKS) return;
    if (performance.now() > deadline)
      throw new Error(`a server is still busy ${QUIET_WAIT_MS / 1000} s after its load`);
    before = now;
  }
}
