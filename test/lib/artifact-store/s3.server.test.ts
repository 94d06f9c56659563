import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { Client } from 'minio';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createS3Store, type S3Options } from '../../../lib/artifact-store/s3.ts';
import type { MinioServer } from '../../../lib/minio-server.ts';
import { startTestMinio } from '../../platform.ts';
import { artifactStoreContract } from './contract.ts';

describe('S3 store on a real MinIO', () => {
  let server: MinioServer;
  beforeAll(async () => {
    server = await startTestMinio();
    await createS3Store(optionsOf(server)).ensureBucket();
  });
  afterAll(() => server.stop());

  artifactStoreContract(() => {
    const { endpoint, accessKey, secretKey } = server;
    const url = new URL(endpoint);
    const client = new Client({ endPoint: url.hostname, port: Number(url.port), useSSL: false, accessKey, secretKey });
    const write = async (key: string, bytes: Uint8Array) => {
      await client.putObject('anneal', key, Buffer.from(bytes));
    };
    const keys = async () => {
      const found: string[] = [];
      for await (const { name } of client.listObjectsV2('anneal', '', true) as AsyncIterable<{ name: string }>)
        found.push(name);
      return found;
    };
    return { store: createS3Store(optionsOf(server)), write, keys };
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

test('a server that accepts and stays silent is UNAVAILABLE in bounded time', async () => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  onTestFinished(() => void silent.close());
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  const store = createS3Store({ ...NOBODY, endpoint: `http://127.0.0.1:${port}`, timeoutMs: 200 });
  await expect(store.get('ab'.repeat(32))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});

const NOBODY = { region: 'us-east-1', bucket: 'anneal', accessKey: 'a', secretKey: 'b' };
const optionsOf = ({ endpoint, accessKey, secretKey }: MinioServer): S3Options => ({
  ...NOBODY,
  endpoint,
  accessKey,
  secretKey,
});
