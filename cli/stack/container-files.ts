import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PlatformError } from '../../lib/errors.ts';
import type { Copy } from './mounts.ts';
import { place, type Places } from './places.ts';
import type { Replica } from './plan.ts';

/** Throws INVALID with every file of the project that the replicas need and that is not there. */
export function requireFiles(replicas: readonly Replica[]): void {
  const missing = new Set(
    replicas.flatMap(({ mounts }) => mounts.copies.map(({ from }) => from).filter((from) => !existsSync(from))),
  );
  if (missing.size === 0) return;
  const details = [...missing].map((path) => ({ path, rule: 'required', message: 'does not exist' }));
  throw new PlatformError(
    'INVALID',
    `files are missing: ${[...missing].join(', ')}; \`npx anneal secrets\` writes the secrets`,
    {
      details,
    },
  );
}

/** Makes what stands for a fresh container's file system: its folders, and its files with the places of this machine. */
export async function layOut({ root, mounts, places }: Replica): Promise<void> {
  await rm(root, { recursive: true, force: true });
  for (const folder of [root, ...mounts.folders]) await mkdir(folder, { recursive: true });
  for (const copy of mounts.copies) await copyPlaced(copy, places);
}

async function copyPlaced({ from, to }: Copy, places: Places): Promise<void> {
  if ((await stat(from)).isDirectory()) {
    for (const name of await readdir(from)) await copyPlaced({ from: join(from, name), to: join(to, name) }, places);
    return;
  }
  await mkdir(dirname(to), { recursive: true });
  await writeFile(to, place(await readFile(from, 'utf8'), places), { mode: 0o600 });
}
