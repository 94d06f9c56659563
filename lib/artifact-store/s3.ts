import http from 'node:http';
import https from 'node:https';
import { Client } from 'minio';
import { artifactKey, type ArtifactRef, type ArtifactStore } from '../artifact-store.ts';
import { notFound, PlatformError } from '../errors.ts';
import { assertNamedKey, assertSha256, refOfFile, sha256Of, verify, writeVerified } from './verified.ts';

export interface S3Options {
  /** http(s)://host:port of any server that speaks S3. */
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  readonly accessKey: string;
  readonly secretKey: string;
  /** A request that moves no byte for this long has failed. */
  readonly timeoutMs?: number;
}
export interface S3Store extends ArtifactStore {
  /** Creates the bucket unless it is there. */
  readonly ensureBucket: () => Promise<void>;
}

const MISSING = new Set(['NotFound', 'NoSuchKey']);

/** Artifacts in an S3 bucket. Overwriting an object with its own content is harmless, so a race of two writers is too. */
export function createS3Store(options: S3Options): S3Store {
  const { bucket } = options;
  const client = createClient(options);
  const keyOf = (sha256: string) => {
    assertSha256(sha256);
    return artifactKey(sha256);
  };

  const has = (sha256: string) =>
    client.statObject(bucket, keyOf(sha256)).then(
      () => true,
      (error: unknown) => {
        if (isMissing(error)) return false;
        throw error;
      },
    );
  async function addIfAbsent(ref: ArtifactRef, upload: (key: string) => Promise<unknown>): Promise<ArtifactRef> {
    if (!(await has(ref.sha256))) await upload(keyOf(ref.sha256));
    return ref;
  }
  const copyOut = async (key: string, path: string, sha256?: string) => {
    await writeVerified(await client.getObject(bucket, key), path, sha256);
  };

  return {
    put: (bytes) =>
      guarded(() => {
        const ref = { sha256: sha256Of(bytes), bytes: bytes.byteLength };
        return addIfAbsent(ref, (key) => client.putObject(bucket, key, Buffer.from(bytes), bytes.byteLength));
      }),
    putFile: (path) =>
      guarded(async () => addIfAbsent(await refOfFile(path), (key) => client.fPutObject(bucket, key, path))),
    get: (sha256) =>
      guarded(async () => {
        const chunks: Buffer[] = [];
        for await (const chunk of await client.getObject(bucket, keyOf(sha256))) chunks.push(chunk as Buffer);
        const bytes = Buffer.concat(chunks);
        verify(sha256Of(bytes), sha256);
        return bytes;
      }, sha256),
    getFile: (sha256, path) => guarded(() => copyOut(keyOf(sha256), path, sha256), sha256),
    has: (sha256) => guarded(() => has(sha256)),
    getNamed: (key, path) => guarded(() => (assertNamedKey(key), copyOut(key, path)), key),
    check: () =>
      guarded(async () => {
        if (!(await client.bucketExists(bucket)))
          throw new PlatformError('UNAVAILABLE', `bucket '${bucket}' does not exist`);
      }),
    ensureBucket: () =>
      guarded(async () => {
        if (!(await client.bucketExists(bucket))) await client.makeBucket(bucket, options.region);
      }),
  };
}

function createClient({ endpoint, region, accessKey, secretKey, timeoutMs = 10_000 }: S3Options): Client {
  const url = new URL(endpoint);
  const useSSL = url.protocol === 'https:';
  return new Client({
    endPoint: url.hostname,
    port: Number(url.port) || (useSSL ? 443 : 80),
    useSSL,
    region,
    accessKey,
    secretKey,
    pathStyle: true,
    transport: { request: withIdleTimeout(useSSL ? https.request : http.request, timeoutMs) },
    retryOptions: { maximumRetryCount: 2, baseDelayMs: 100, maximumDelayMs: 1000 },
  });
}

/** A server that accepts the connection and then says nothing would hold a request for ever. */
const withIdleTimeout = (request: typeof http.request, timeoutMs: number): typeof http.request =>
  ((...args: Parameters<typeof http.request>) => {
    const sent = request(...args);
    sent.setTimeout(timeoutMs, () =>
      sent.destroy(Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' })),
    );
    return sent;
  }) as typeof http.request;

async function guarded<T>(work: () => Promise<T>, name?: string): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof PlatformError) throw error;
    if (name !== undefined && isMissing(error)) throw notFound('artifact', name);
    // The message may name the host: that stays in the cause.
    const code = (error as { code?: string }).code ?? 'no answer';
    throw new PlatformError('UNAVAILABLE', `the object store cannot be used (${code})`, { cause: error });
  }
}

const isMissing = (error: unknown) => MISSING.has((error as { code?: string }).code ?? '');
