import type { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import type { Client } from 'minio';
import { codeOf, retried } from './s3-failure.ts';

/** S3 takes at most 10,000 parts: enough for 160 GB. */
const PART_BYTES = 16 * 2 ** 20;
/** After this nobody is still sending parts. */
const ABANDONED_MS = 24 * 60 * 60 * 1000;

export interface UploadOptions {
  readonly client: Client;
  /** For the one request that may take long without a word: a server may have to join the parts. */
  readonly patientClient: Client;
  readonly bucket: string;
}
export interface Content {
  readonly bytes: number;
  /** Buffers of the given size; only the last may be smaller. */
  readonly chunks: (bytes: number) => Readable;
}
/** Makes the object unless its key is taken: then it fails, with PreconditionFailed on a server that knows conditions. */
export type Upload = (key: string, content: Content) => Promise<void>;

/** What is larger than 16 MiB goes in parts, one in memory at a time; an upload that fails leaves none behind. */
export function createUpload({ client, patientClient, bucket }: UploadOptions): Upload {
  let condition: Record<string, string> = { 'If-None-Match': '*' };

  async function uploadWhole(key: string, { bytes, chunks }: Content): Promise<void> {
    const body = await buffer(chunks(PART_BYTES));
    await retried(() => client.putObject(bucket, key, body, bytes, { ...condition }));
  }

  async function uploadParts(key: string, { chunks }: Content): Promise<void> {
    const uploadId = await retried(() => client.initiateNewMultipartUpload(bucket, key, {}));
    try {
      const parts: string[] = [];
      for await (const chunk of chunks(PART_BYTES) as AsyncIterable<Buffer>) {
        const partNumber = parts.length + 1;
        const part = { bucketName: bucket, objectName: key, uploadID: uploadId, partNumber, headers: {} };
        const { etag } = await retried(() => client.uploadPart(part, chunk));
        parts.push(`<Part><PartNumber>${partNumber}</PartNumber><ETag>${etag}</ETag></Part>`);
      }
      await retried(() => complete(key, uploadId, parts.join('')));
    } catch (error) {
      // What failed first is what there is to tell.
      await retried(() => client.abortMultipartUpload(bucket, key, uploadId)).catch(() => undefined);
      throw error;
    }
  }

  // The client's own way to complete takes no condition.
  async function complete(key: string, uploadId: string, parts: string): Promise<void> {
    const answer = await patientClient.makeRequestAsync(
      {
        method: 'POST',
        bucketName: bucket,
        objectName: key,
        query: `uploadId=${encodeURIComponent(uploadId)}`,
        headers: { ...condition },
      },
      `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${parts}</CompleteMultipartUpload>`,
    );
    const body = await text(answer);
    if (body.includes('<CompleteMultipartUploadResult')) return;
    // A failure while the parts are joined comes after the status 200.
    const code = /<Code>(\w+)<\/Code>/.exec(body)?.[1];
    throw Object.assign(new Error('the parts of an upload were not joined'), { code });
  }

  return async (key, content) => {
    const upload = content.bytes > PART_BYTES ? uploadParts : uploadWhole;
    try {
      await upload(key, content);
    } catch (error) {
      if (codeOf(error) !== 'NotImplemented') throw error;
      condition = {}; // to write the same content twice is harmless
      await upload(key, content);
    }
  };
}

/** Ends uploads of artifacts that were never finished, because their process was killed: no listing shows the space they take. */
export async function endAbandonedUploads(client: Client, bucket: string, olderThanMs = ABANDONED_MS): Promise<void> {
  const { uploads } = await client.listIncompleteUploadsQuery(bucket, '', '', '', '');
  const abandoned = uploads.filter(
    ({ key, initiated }) => key.startsWith('sha256/') && Date.now() - initiated.getTime() >= olderThanMs,
  );
  for (const { key, uploadId } of abandoned) await client.abortMultipartUpload(bucket, key, uploadId);
}
