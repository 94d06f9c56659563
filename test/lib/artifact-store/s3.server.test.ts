import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { Client } from 'minio';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { endAbandonedUploads } from '../../../lib/artifact-store/s3-upload.ts';
import { createS3Store, type S3Options } from '../../../lib/artifact-store/s3.ts';
import { artifactKey } from '../../../lib/artifact-store.ts';
import type { MinioServer } from '../../../lib/minio-server.ts';
import { startTestMinio, startTestVersitygw } from '../../platform.ts';
import { artifactStoreContract } from './contract.ts';
import { s3Faults } from './s3-faults.ts';

const SERVERS = { MinIO: startTestMinio, versitygw: startTestVersitygw };

describe.each(Object.entries(SERVERS))('S3 store on a real %s', (_, start) => {
  let server: MinioServer;
  let client: Client;
  beforeAll(async () => {
    server = await start();
    const { hostname, port } = new URL(server.endpoint);
    const { accessKey, secretKey } = server;
    client = new Client({ endPoint: hostname, port: Number(port), useSSL: false, accessKey, secretKey });
    await createS3Store(optionsOf(server)).ensureBucket();
  });
  afterAll(() => server.stop());

  const unfinished = async (key: string) =>
    (await client.listIncompleteUploadsQuery('anneal', key, '', '', '')).uploads.map(({ key }) => key);

  artifactStoreContract(() => {
    const write = async (key: string, bytes: Uint8Array) => {
      await client.putObject('anneal', key, Buffer.from(bytes));
    };
    const keys = async () => {
      const found: string[] = [];
      for await (const { name } of client.listObjectsV2('anneal', '', true) as AsyncIterable<{ name: string }>)
        found.push(name);
      return found;
    };
    return { store: createS3Store(optionsOf(server)), write, keys, unfinished };
  });

  s3Faults(() => ({ options: optionsOf(server), client, unfinished }));

  test('uploads that a killed process left are ended when they are old, those of others never', async () => {
    const key = artifactKey(randomBytes(32).toString('hex'));
    for (const name of [key, 'of-others']) await client.initiateNewMultipartUpload('anneal', name, {});
    await endAbandonedUploads(client, 'anneal');
    expect(await unfinished(key)).toEqual([key]);
    await endAbandonedUploads(client, 'anneal', 0);
    expect(await unfinished(key)).toEqual([]);
    expect(await unfinished('of-others')).toEqual(['of-others']);
  });

  test('the bucket may exist already', async () => {
    await expect(createS3Store(optionsOf(server)).ensureBucket()).resolves.toBeUndefined();
  });

  test('a bucket that does not exist is UNAVAILABLE', async () => {
    const store = createS3Store({ ...optionsOf(server), bucket: 'elsewhere' });
    await expect(store.check()).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('elsewhere') as string,
    });
    await expect(store.put(new Uint8Array([1]))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  test('wrong keys are UNAVAILABLE, not a missing object', async () => {
    const store = createS3Store({ ...optionsOf(server), secretKey: 'wrong' });
    await expect(store.get('ab'.repeat(32))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});

test('a server that is away is UNAVAILABLE, and the message names no host', async () => {
  const store = createS3Store({ ...NOBODY, endpoint: 'http://127.0.0.1:1' });
  await expect(store.check()).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: 'the object store cannot be used (ECONNREFUSED)',
  });
});

test('a server that accepts and stays silent is UNAVAILABLE in bounded time', { timeout: 120_000 }, async () => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  onTestFinished(() => void silent.close());
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  const store = createS3Store({ ...NOBODY, endpoint: `http://127.0.0.1:${port}`, timeoutMs: 200 });
  const timedOut = { code: 'UNAVAILABLE', message: 'the object store cannot be used (ETIMEDOUT)' };
  await expect(store.get('ab'.repeat(32))).rejects.toMatchObject(timedOut);
  await expect(store.put(randomBytes(17 * 2 ** 20))).rejects.toMatchObject(timedOut);
});

const NOBODY = { region: 'us-east-1', bucket: 'anneal', accessKey: 'a', secretKey: 'b' };
const optionsOf = ({ endpoint, accessKey, secretKey }: MinioServer): S3Options => ({
  ...NOBODY,
  endpoint,
  accessKey,
  secretKey,
  timeoutMs: 60_000, // a busy machine may keep a server silent for longer than the usual 10 s
});
