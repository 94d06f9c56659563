import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createFolderStore } from '../../../lib/artifact-store/folder.ts';
import { temporaryFolder } from '../../platform.ts';
import { artifactStoreContract } from './contract.ts';

async function openFolder() {
  const { path, remove } = await temporaryFolder('store');
  onTestFinished(remove);
  return path;
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => relative(folder, join(entry.parentPath, entry.name)));
}

describe('folder store', () => {
  artifactStoreContract(async () => {
    const folder = await openFolder();
    const write = async (key: string, bytes: Uint8Array) => {
      await mkdir(dirname(join(folder, key)), { recursive: true });
      await writeFile(join(folder, key), bytes);
    };
    const unfinished = () => filesIn(join(folder, 'incoming'));
    return { store: createFolderStore(folder), write, keys: () => filesIn(folder), unfinished };
  });

  test('what a killed writer left behind is removed after a day', async () => {
    const folder = await openFolder();
    await mkdir(join(folder, 'incoming'));
    for (const [name, hours] of Object.entries({ old: 25, young: 23 })) {
      await writeFile(join(folder, 'incoming', name), '');
      const then = new Date(Date.now() - hours * 3_600_000);
      await utimes(join(folder, 'incoming', name), then, then);
    }
    await createFolderStore(folder).put(new Uint8Array([1]));
    expect(await readdir(join(folder, 'incoming'))).toEqual(['young']);
  });

  test('a folder that is a file cannot be used, and the message names no path', async () => {
    const folder = await openFolder();
    await writeFile(join(folder, 'file'), '');
    const store = createFolderStore(join(folder, 'file'));
    const put = store.put(new Uint8Array([1]));
    await expect(put).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(put).rejects.not.toThrow(folder);
    await expect(store.check()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});
