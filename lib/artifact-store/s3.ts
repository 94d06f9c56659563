import { createReadStream } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { Client } from 'minio';
import { artifactKey, type ArtifactRef, type ArtifactStore } from '../artifact-store.ts';
import { PlatformError } from '../errors.ts';
import { boundedRequest } from './bounded-request.ts';
import { codeOf, guarded, isMissing, retried } from './s3-failure.ts';
import { createUpload, endAbandonedUploads, type Content } from './s3-upload.ts';
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
  /** Creates the bucket unless it is there, and ends the uploads that killed processes left in it more than a day ago. */
  readonly ensureBucket: () => Promise<void>;
}

const TIMEOUT_MS = 10_000;
/** A server may join hundreds of parts without a word. */
const PATIENCE = 30;
/** Another writer was first, or our own first try was, and its answer got lost. */
const TAKEN = new Set(['PreconditionFailed', 'ConditionalRequestConflict', 'NoSuchUpload']);

/** Artifacts in an S3 bucket. Where the server knows no conditional writes an object may be replaced by its own content. */
export function createS3Store(options: S3Options): S3Store {
  const { bucket, timeoutMs = TIMEOUT_MS } = options;
  const client = createClient(options, timeoutMs);
  const upload = createUpload({ client, patientClient: createClient(options, PATIENCE * timeoutMs), bucket });
  const keyOf = (sha256: string) => {
    assertSha256(sha256);
    return artifactKey(sha256);
  };
  const open = (key: string) => retried(() => client.getObject(bucket, key));
  const bucketExists = () => retried(() => client.bucketExists(bucket));

  const has = (sha256: string) =>
    retried(() => client.statObject(bucket, keyOf(sha256))).then(
      () => true,
      (error: unknown) => {
        if (isMissing(error)) return false;
        throw error;
      },
    );
  async function add(ref: ArtifactRef, chunks: Content['chunks']): Promise<ArtifactRef> {
    if (await has(ref.sha256)) return ref;
    try {
      await upload(keyOf(ref.sha256), { bytes: ref.bytes, chunks });
    } catch (error) {
      if (!TAKEN.has(codeOf(error) ?? '') || !(await has(ref.sha256))) throw error;
    }
    return ref;
  }
  const copyOut = async (key: string, path: string, sha256?: string) => {
    await writeVerified(await open(key), path, sha256);
  };

  return {
    put: (bytes) =>
      guarded(() =>
        add({ sha256: sha256Of(bytes), bytes: bytes.byteLength }, (size) => Readable.from(slices(bytes, size))),
      ),
    putFile: (path) =>
      guarded(async () => add(await refOfFile(path), (highWaterMark) => createReadStream(path, { highWaterMark }))),
    get: (sha256) =>
      guarded(async () => {
        const bytes = await buffer(await open(keyOf(sha256)));
        verify(sha256Of(bytes), sha256);
        return bytes;
      }, sha256),
    getFile: (sha256, path) => guarded(() => copyOut(keyOf(sha256), path, sha256), sha256),
    has: (sha256) => guarded(() => has(sha256)),
    getNamed: (key, path) => guarded(() => (assertNamedKey(key), copyOut(key, path)), key),
    check: () =>
      guarded(async () => {
        if (!(await bucketExists())) throw new PlatformError('UNAVAILABLE', `bucket '${bucket}' does not exist`);
      }),
    ensureBucket: () =>
      guarded(async () => {
        if (!(await bucketExists())) await client.makeBucket(bucket, options.region);
        // Our keys may not be allowed to look, and nothing depends on it.
        else await endAbandonedUploads(client, bucket).catch(() => undefined);
      }),
  };
}

function createClient({ endpoint, region, accessKey, secretKey }: S3Options, timeoutMs: number): Client {
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
    transport: { request: boundedRequest(useSSL ? https.request : http.request, timeoutMs) },
    retryOptions: { disableRetry: true },
  });
}

function* slices(bytes: Uint8Array, size: number): Generator<Buffer> {
  for (let start = 0; start < bytes.byteLength; start += size) yield Buffer.from(bytes.subarray(start, start + size));
}
