import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive } from '../lib/child-process.ts';
import { PlatformError } from '../lib/errors.ts';

/** One `anneal up` per ANNEAL_HOME. Returns what gives the folder free again; throws CONFLICT when another one has it. */
export function lockHome(home: string): () => void {
  const path = lockFile(home);
  mkdirSync(home, { recursive: true });
  const own = JSON.stringify({ pid: process.pid, started: startTime(process.pid) });
  for (;;) {
    try {
      writeFileSync(path, own, { flag: 'wx' });
      return () => rmSync(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      const owner = homeOwner(home);
      if (owner) throw alreadyRunning(home, owner.pid);
      rmSync(path, { force: true }); // of a process that is gone
    }
  }
}

export interface Owner {
  readonly pid: number;
  readonly started: string | null;
}

const lockFile = (home: string) => join(home, 'anneal.lock');

/** The process that has the home now; undefined when none has. */
export function homeOwner(home: string): Owner | undefined {
  try {
    const owner = JSON.parse(readFileSync(lockFile(home), 'utf8')) as Owner;
    return isAlive(owner.pid) && startTime(owner.pid) === owner.started ? owner : undefined;
  } catch {
    return undefined;
  }
}

/** Tells a process from a later one with the same pid; null where the system does not say. */
function startTime(pid: number): string | null {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return fields.slice(fields.lastIndexOf(')')).split(' ')[20] ?? null;
  } catch {
    return null;
  }
}

const alreadyRunning = (home: string, pid: number) =>
  new PlatformError(
    'CONFLICT',
    `Anneal already runs on ${home} (process ${pid}); stop it, or set another ANNEAL_HOME`,
    {
      details: [{ path: 'ANNEAL_HOME', rule: 'one_owner', message: `in use by process ${pid}` }],
    },
  );
