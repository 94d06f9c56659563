import { randomUUID } from 'node:crypto';
import { chmodSync, linkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { PlatformError } from '../lib/errors.ts';

/** Whole or not at all, and only once: of two writers the second finds what the first has made, and gets false. */
export function writeOnce(path: string, text: string, mode: number): boolean {
  const draft = `${path}.${randomUUID()}`;
  writeFileSync(draft, text, { mode: 0o600, flag: 'wx' });
  try {
    chmodSync(draft, mode); // whatever the umask
    linkSync(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  } finally {
    rmSync(draft);
  }
}

/** Throws INVALID, with the command that mends it, when a file or folder is open to more than `allowed`. */
export function refuseOpen(path: string, allowed: number): void {
  const mode = statSync(path).mode & 0o777;
  if (process.platform === 'win32' || (mode & ~allowed) === 0) return;
  const fix = `chmod ${allowed.toString(8)} '${path}'`;
  throw new PlatformError('INVALID', `others may read or change ${path} (mode ${mode.toString(8)}); run: ${fix}`);
}
