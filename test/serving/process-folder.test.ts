import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { claimFolder, orphanedFolders } from '../../serving/process-folder.ts';
import { temporaryFolder, type TemporaryFolder } from '../platform.ts';

let home: TemporaryFolder;
beforeEach(async () => {
  home = await temporaryFolder('processes');
});
afterEach(() => home.remove());

test('a folder is made and says whose it is; the same process may claim it again, and so may the next after a crash', async () => {
  const folder = join(home.path, '0', 'deep');
  const owner = () => readFile(join(folder, 'pid'), 'utf8');
  await claimFolder(folder, 'serving');
  expect(await owner()).toBe(`${process.pid}\n`);
  await claimFolder(folder, 'serving');
  await writeFile(join(folder, 'pid'), '4194303\n'); // more than Linux gives out
  await claimFolder(folder, 'serving');
  expect(await owner()).toBe(`${process.pid}\n`);
});

test('orphans are numbered folders beyond those in use, and nothing else', async () => {
  for (const name of ['0', '1', '2', '10', 'models', '3x']) await mkdir(join(home.path, name));
  await writeFile(join(home.path, '7'), 'a file');
  const names = async (count: number) =>
    (await orphanedFolders(home.path, count)).map((path) => path.slice(home.path.length + 1));
  expect(await names(2)).toEqual(['10', '2']);
  expect(await names(1)).toEqual(['1', '10', '2']);
  expect(await names(11)).toEqual([]);
});
