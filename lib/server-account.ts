import { readFile, stat } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { PlatformError } from './errors.ts';

export interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly uid?: number;
  readonly gid?: number;
}
/** Who a server runs as: this user, or an unprivileged one when this user is root, which Postgres refuses. */
export interface Account {
  readonly uid?: number;
  readonly gid?: number;
  command(command: string, args: readonly string[]): Command;
}

const SETPRIV = '/usr/bin/setpriv';

/**
 * Chooses the account for a server that must read `paths`. As root: the user `postgres`, else `nobody`. When a folder above
 * a path is closed to that user (a project under /root), the one capability to pass it is granted. Throws UNAVAILABLE.
 */
export async function runAs(paths: readonly string[]): Promise<Account> {
  if (process.getuid?.() !== 0) return { command: (command, args) => ({ command, args }) };
  const { uid, gid } = await unprivilegedUser();
  const closed = await closedFolder(paths, uid, gid);
  if (closed === undefined) return { uid, gid, command: (command, args) => ({ command, args, uid, gid }) };
  if (!existsSync(SETPRIV)) {
    const message = `Postgres cannot run as root, and its user cannot enter ${closed}`;
    throw new PlatformError(
      'UNAVAILABLE',
      `${message}; run as an ordinary user, move ANNEAL_HOME, or set DATABASE_URL`,
    );
  }
  // no_setuid_fixup: access(2), with which initdb looks for its programs, would ignore the capability otherwise.
  const capability = ['--inh-caps=+dac_override', '--ambient-caps=+dac_override', '--securebits=+no_setuid_fixup'];
  const become = [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', ...capability];
  return { uid, gid, command: (command, args) => ({ command: SETPRIV, args: [...become, '--', command, ...args] }) };
}

async function unprivilegedUser(): Promise<{ uid: number; gid: number }> {
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  const entry = lines.find(([name]) => name === 'postgres') ?? lines.find(([name]) => name === 'nobody');
  if (!entry)
    throw new PlatformError('UNAVAILABLE', 'Postgres cannot run as root; run as an ordinary user or set DATABASE_URL');
  return { uid: Number(entry[2]), gid: Number(entry[3]) };
}

async function closedFolder(paths: readonly string[], uid: number, gid: number): Promise<string | undefined> {
  for (const folder of new Set(paths.flatMap(foldersAbove))) {
    const { mode, uid: owner, gid: group } = await stat(folder);
    const execute = owner === uid ? 0o100 : group === gid ? 0o010 : 0o001;
    if ((mode & execute) === 0) return folder;
  }
  return undefined;
}

function foldersAbove(path: string): string[] {
  const above = dirname(path);
  return above === path ? [path] : [...foldersAbove(above), above];
}
