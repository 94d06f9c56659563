import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { Client } from 'minio';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { createS3Store, type S3Options } from '../../../lib/artifact-store/s3.ts';
import { refOfFile, sha256Of } from '../../../lib/artifact-store/verified.ts';
import { artifactKey } from '../../../lib/artifact-store.ts';
import { temporaryFolder } from '../../platform.ts';
import { randomFile } from './contract.ts';
import { startFaultyProxy, type Fault } from './faulty-proxy.ts';

/** A real server, and ways to look behind the store's back. */
export interface RealServer {
  readonly options: S3Options;
  readonly client: Client;
  readonly unfinished: (key: string) => Promise<unknown[]>;
}

const UNAVAILABLE = { code: 'UNAVAILABLE' };
/** Three parts. */
const LARGE = 40;
const isPart = ({ method, url }: IncomingMessage, number: number) =>
  method === 'PUT' && url!.includes(`partNumber=${number}`);
const isWrite = ({ headers }: IncomingMessage) => headers['if-none-match'] === '*';

/** What the store makes of a real server behind a bad connection, and of one that is busy. */
export function s3Faults(real: () => RealServer): void {
  let folder: string;
  beforeEach(async () => {
    const temporary = await temporaryFolder('faults');
    folder = temporary.path;
    onTestFinished(temporary.remove);
  });
  async function openThrough(
    faultOf: (request: IncomingMessage) => Fault | Promise<Fault>,
    timeoutMs = real().options.timeoutMs,
  ) {
    const proxy = await startFaultyProxy(real().options.endpoint, faultOf);
    onTestFinished(proxy.stop);
    return { store: createS3Store({ ...real().options, endpoint: proxy.endpoint, timeoutMs }), seen: proxy.seen };
  }
  const direct = () => createS3Store(real().options);
  async function largeFile() {
    const path = join(folder, 'in');
    await randomFile(path, LARGE);
    return { path, ...(await refOfFile(path)) };
  }
  const once = (fault: Fault, where: (request: IncomingMessage) => boolean) => {
    let left = 1;
    return (request: IncomingMessage): Fault => (where(request) && left-- > 0 ? fault : 'none');
  };

  test('an upload that is cut again and again fails, and leaves neither an object nor parts', async () => {
    const { path, sha256 } = await largeFile();
    const { store, seen } = await openThrough((request) => (isPart(request, 2) ? 'cut upload' : 'none'));
    await expect(store.putFile(path)).rejects.toMatchObject(UNAVAILABLE);
    expect(seen.filter(({ url, status }) => url.includes('partNumber=1') && status === 200)).toHaveLength(1);
    expect(await direct().has(sha256)).toBe(false);
    expect(await real().unfinished(artifactKey(sha256))).toEqual([]);
  });

  test('an upload that is cut once goes on', async () => {
    const { path, sha256, bytes } = await largeFile();
    const { store, seen } = await openThrough(once('cut upload', (request) => isPart(request, 2)));
    expect(await store.putFile(path)).toEqual({ sha256, bytes });
    expect(seen.filter(({ url }) => url.includes('partNumber=2'))).toHaveLength(2);
    expect(seen.filter(({ url }) => url.includes('partNumber=1'))).toHaveLength(1);
    await direct().getFile(sha256, join(folder, 'out'));
  });

  test('a busy server is asked again, and its status told when it stays busy', async () => {
    const bytes = randomBytes(100);
    const { store } = await openThrough(once('busy', isWrite));
    await store.put(bytes);
    expect(await direct().has(sha256Of(bytes))).toBe(true);
    const busy = await openThrough(() => 'busy');
    const told = { ...UNAVAILABLE, message: 'the object store cannot be used (HTTP 503)' };
    await expect(busy.store.put(bytes)).rejects.toMatchObject(told);
    await expect(busy.store.check()).rejects.toMatchObject(told);
    expect(busy.seen).toHaveLength(6);
  });

  test.for<Fault>(['cut answer', 'stalled answer', 'slow answer'])(
    'a %s is UNAVAILABLE in bounded time, and no file appears',
    { timeout: 120_000 },
    async (fault) => {
      const { sha256 } = await direct().put(randomBytes(20_000)); // takes 400 s when slow
      const { store } = await openThrough(({ method }) => (method === 'GET' ? fault : 'none'), 300);
      await expect(store.get(sha256)).rejects.toMatchObject(UNAVAILABLE);
      await expect(store.getFile(sha256, join(folder, 'out'))).rejects.toMatchObject(UNAVAILABLE);
      expect(await readdir(folder)).toEqual([]);
    },
  );

  test('a server without conditional writes is written to without', async () => {
    const bytes = randomBytes(100);
    const { store } = await openThrough((request) => (isWrite(request) ? 'not implemented' : 'none'));
    const { path } = await largeFile();
    const refs = [await store.put(bytes), await store.putFile(path)];
    for (const { sha256 } of refs) expect(await direct().has(sha256)).toBe(true);
  });

  describe('of two writers at once the first one writes, and both succeed', () => {
    const first = Buffer.from('of the first');
    /** Between the question whether the object is there and the request that makes it, another makes it. */
    const race = (sha256: string) =>
      openThrough(async (request): Promise<Fault> => {
        if (isWrite(request)) await real().client.putObject('anneal', artifactKey(sha256), first);
        return 'none';
      });
    const found = async (sha256: string) => buffer(await real().client.getObject('anneal', artifactKey(sha256)));

    test('in one piece', async () => {
      const bytes = randomBytes(100);
      const { store, seen } = await race(sha256Of(bytes));
      await store.put(bytes);
      expect(seen.map(({ status }) => status)).toContain(412);
      expect(await found(sha256Of(bytes))).toEqual(first);
    });

    test('in parts', async () => {
      const { path, sha256 } = await largeFile();
      const { store, seen } = await race(sha256);
      await store.putFile(path);
      expect(seen.map(({ status }) => status)).toContain(412);
      expect(await found(sha256)).toEqual(first);
      expect(await real().unfinished(artifactKey(sha256))).toEqual([]);
    });
  });
}
