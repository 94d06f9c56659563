import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { predecessorEnded, readPid } from '../lib/child-process.ts';

/**
 * A folder that belongs to this process alone, made when it is not there; waits until an earlier process that had it has
 * ended. `word` is in the command line of such a process. Throws CONFLICT when it does not end in time.
 */
export async function claimFolder(folder: string, word: string): Promise<void> {
  const pidFile = join(folder, 'pid');
  await mkdir(folder, { recursive: true });
  // In a container every start has the same pid.
  if (readPid(pidFile) !== process.pid) await predecessorEnded(pidFile, word);
  await writeFile(pidFile, `${process.pid}\n`);
}

/** Folders in `parent` of processes beyond the first `count`: what they left, nobody else looks after. */
export async function orphanedFolders(parent: string, count: number): Promise<string[]> {
  const entries = await readdir(parent, { withFileTypes: true });
  const orphaned = entries.filter(
    (entry) => entry.isDirectory() && /^\d+$/.test(entry.name) && Number(entry.name) >= count,
  );
  return orphaned.map(({ name }) => join(parent, name)).sort();
}
