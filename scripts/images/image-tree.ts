import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Image, Target } from './images.ts';

const run = promisify(execFile);

/**
 * Makes in `folder` what the Dockerfile makes in the image of a target: its sources, and its packages as hard links, taken
 * from the repository and pruned by the same program.
 */
export async function makeImageTree(root: string, target: Target, image: Image, folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  const modules = join(folder, 'node_modules');
  await mkdir(modules, { recursive: true });
  // Without npm's hidden lock file, which npm would write through the link.
  const names = (await readdir(join(root, 'node_modules'))).filter((name) => !name.startsWith('.'));
  await run('cp', ['-al', ...names.map((name) => join(root, 'node_modules', name)), modules]);
  for (const file of ['package.json', 'package-lock.json', '.npmrc', ...image.main, ...image.folders]) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await cp(join(root, file), join(folder, file), { recursive: true });
  }
  await run(process.execPath, [join(root, 'deploy', 'prune-modules.ts'), target, folder]);
  await rm(join(folder, 'package-lock.json'));
  await rm(join(folder, '.npmrc'));
}
