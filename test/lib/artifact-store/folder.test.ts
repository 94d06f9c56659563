import { mkdir, readdir, writeFile } from 'node:fs/promises';
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
    return { store: createFolderStore(folder), write, keys: () => filesIn(folder) };
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
