import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { refOfFile } from '../../../lib/artifact-store/verified.ts';
import { artifactKey, type ArtifactStore } from '../../../lib/artifact-store.ts';
import { temporaryFolder } from '../../platform.ts';

/** What a test does behind the store's back. Keys are relative to the store. */
export interface Backdoor {
  readonly store: ArtifactStore;
  readonly write: (key: string, bytes: Uint8Array) => Promise<void>;
  /** Of whole objects. */
  readonly keys: () => Promise<string[]>;
  /** What was begun for this key and not brought to its end. */
  readonly unfinished: (key: string) => Promise<unknown[]>;
}

/** Writes random bytes without holding them all. */
export async function randomFile(path: string, mebibytes: number): Promise<void> {
  const pieces = function* () {
    for (let piece = 0; piece < mebibytes; piece++) yield randomBytes(2 ** 20);
  };
  await pipeline(pieces, createWriteStream(path));
}

/** The tests that every artifact store passes. */
export function artifactStoreContract(open: () => Promise<Backdoor> | Backdoor): void {
  let store: ArtifactStore;
  let backdoor: Backdoor;
  let folder: string;
  beforeEach(async () => {
    backdoor = await open();
    store = backdoor.store;
    const temporary = await temporaryFolder('contract');
    folder = temporary.path;
    onTestFinished(temporary.remove);
  });
  const absent = 'ab'.repeat(32);
  const text = () => Buffer.from(`content ${randomBytes(8).toString('hex')}`);

  test('gives back what was put, under the hash of the content', async () => {
    const bytes = text();
    const ref = await store.put(bytes);
    expect(ref).toMatchObject({ sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string, bytes: bytes.length });
    expect(Buffer.from(await store.get(ref.sha256))).toEqual(bytes);
    expect(await backdoor.keys()).toContain(artifactKey(ref.sha256));
  });

  test('keeps empty content', async () => {
    const ref = await store.put(new Uint8Array());
    expect(ref.bytes).toBe(0);
    expect((await store.get(ref.sha256)).byteLength).toBe(0);
  });

  test('a file and its bytes are the same object, and a copy out equals it', async () => {
    const bytes = randomBytes(3 * 2 ** 20);
    await writeFile(join(folder, 'in'), bytes);
    const ref = await store.putFile(join(folder, 'in'));
    expect(await store.put(bytes)).toEqual(ref);
    await store.getFile(ref.sha256, join(folder, 'deep', 'out'));
    expect(bytes.equals(await readFile(join(folder, 'deep', 'out')))).toBe(true);
  });

  test('many writers of the same content all succeed with one object', async () => {
    const bytes = text();
    const refs = await Promise.all(Array.from({ length: 8 }, () => store.put(bytes)));
    expect(new Set(refs.map((ref) => ref.sha256)).size).toBe(1);
    expect(Buffer.from(await store.get(refs[0]!.sha256))).toEqual(bytes);
  });

  test('knows what it has', async () => {
    const { sha256 } = await store.put(text());
    expect(await store.has(sha256)).toBe(true);
    expect(await store.has(absent)).toBe(false);
  });

  test('what is absent is NOT_FOUND, and no file appears', async () => {
    await expect(store.get(absent)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(store.getFile(absent, join(folder, 'out'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(store.getNamed('nothing/here.csv', join(folder, 'out'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await readdir(folder)).toEqual([]);
  });

  test('damaged content is UNAVAILABLE, and no file appears', async () => {
    const { sha256 } = await store.put(text());
    await backdoor.write(artifactKey(sha256), Buffer.from('damaged'));
    await expect(store.get(sha256)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(store.getFile(sha256, join(folder, 'out'))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(await readdir(folder)).toEqual([]);
  });

  test('one flipped bit in three megabytes is found, and no file appears', async () => {
    const bytes = randomBytes(3 * 2 ** 20);
    const { sha256 } = await store.put(bytes);
    bytes[2 ** 20]! ^= 0b100;
    await backdoor.write(artifactKey(sha256), bytes);
    const damaged = { code: 'UNAVAILABLE', message: expect.stringContaining('is damaged') as string };
    await expect(store.get(sha256)).rejects.toMatchObject(damaged);
    await expect(store.getFile(sha256, join(folder, 'out'))).rejects.toMatchObject(damaged);
    expect(await readdir(folder)).toEqual([]);
  });

  test('what is there is not written again', async () => {
    const bytes = text();
    const { sha256 } = await store.put(bytes);
    await backdoor.write(artifactKey(sha256), Buffer.from('marked'));
    await store.put(bytes);
    await expect(store.get(sha256)).rejects.toThrow('is damaged');
  });

  test('200 MB go in and come out the same, and nothing unfinished stays', { timeout: 600_000 }, async () => {
    await randomFile(join(folder, 'in'), 200);
    const before = await backdoor.keys();
    const ref = await store.putFile(join(folder, 'in'));
    expect(ref).toEqual(await refOfFile(join(folder, 'in')));
    expect((await backdoor.keys()).length).toBe(before.length + 1);
    expect(await backdoor.unfinished(artifactKey(ref.sha256))).toEqual([]);
    await store.getFile(ref.sha256, join(folder, 'out'));
    expect(await refOfFile(join(folder, 'out'))).toEqual(ref);
  });

  test('a failed upload leaves nothing behind', async () => {
    const before = await backdoor.keys();
    await expect(store.putFile(join(folder, 'no such file'))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(await backdoor.keys()).toEqual(before);
  });

  test('reads objects by name, outside the content-addressed part only', async () => {
    await backdoor.write('incoming-data/rows.csv', Buffer.from('a,b\n1,2\n'));
    await store.getNamed('incoming-data/rows.csv', join(folder, 'rows.csv'));
    expect(await readFile(join(folder, 'rows.csv'), 'utf8')).toBe('a,b\n1,2\n');
    for (const key of [`sha256/ab/${absent}`, '../secret', '/etc/passwd', 'a/../../b', 'a//b', '']) {
      await expect(store.getNamed(key, join(folder, 'out'))).rejects.toMatchObject({ code: 'INVALID' });
    }
  });

  test('refuses names that are no hash', async () => {
    await expect(store.get('../../etc/passwd')).rejects.toMatchObject({ code: 'INVALID' });
    await expect(store.has('AB'.repeat(32))).rejects.toMatchObject({ code: 'INVALID' });
  });

  test('says that it can be used', async () => {
    await expect(store.check()).resolves.toBeUndefined();
  });
}
