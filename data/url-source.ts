import { PlatformError } from '../lib/errors.ts';
import type { OutgoingAnswer, OutgoingFetch } from '../lib/http/outgoing.ts';
import { isDiskError, saveStream, type SaveRules } from '../lib/save-stream.ts';
import type { DataSource } from '../pipelines/definition.ts';
import type { FileDoor } from './file-door.ts';

export interface UrlSourceDeps {
  readonly fetch: OutgoingFetch;
  readonly fileDoor: FileDoor;
  readonly maxBytes: number;
  /** For the whole file. */
  readonly timeoutMs?: number;
}
type UrlSource = Extract<DataSource, { kind: 'url' }>;

const FIELD = 'source.url';
const TIMEOUT_MS = 3_600_000;

/**
 * Streams what a URL answers into a file, through the same checks as an upload. Throws INVALID or TOO_LARGE for what
 * would fail again, UNAVAILABLE when the host does not answer, or not to the end.
 */
export async function fetchUrl(
  { url, format, sha256 }: UrlSource,
  { fetch, fileDoor, maxBytes, timeoutMs = TIMEOUT_MS }: UrlSourceDeps,
  outFile: string,
  cancelled?: AbortSignal,
): Promise<void> {
  const limit = AbortSignal.timeout(timeoutMs);
  const signal = cancelled ? AbortSignal.any([cancelled, limit]) : limit;
  const answer = await fetch(url, { field: FIELD, signal }).catch((error: unknown) => {
    throw limit.aborted ? tooSlow(timeoutMs) : error;
  });
  const rules = { maxBytes, tooLarge, checkBytes: fileDoor.byteCheck(format, FIELD), signal };
  const found = await save(answer, outFile, rules).catch((error: unknown) => {
    if (error instanceof PlatformError || isDiskError(error)) throw error;
    cancelled?.throwIfAborted();
    throw limit.aborted ? tooSlow(timeoutMs) : unavailable('the answer of the source URL broke off', error);
  });
  if (found.bytes === 0) throw refuse('not_empty', 'the answer has no bytes');
  if (sha256 !== undefined && sha256 !== found.sha256) {
    throw refuse('sha256', `the answer has the SHA-256 ${found.sha256}, not ${sha256}`, 'source.sha256');
  }
  await fileDoor.inspect({ path: outFile, format, field: FIELD, signal: cancelled });
}

async function save({ status, headers, body }: OutgoingAnswer, path: string, rules: SaveRules) {
  try {
    requireUsable(status);
    if (Number(headers['content-length'] ?? 0) > rules.maxBytes) throw tooLarge(rules.maxBytes);
  } catch (error) {
    body.destroy();
    throw error;
  }
  return await saveStream(body, path, rules);
}

/** What may pass by itself is worth another attempt. */
function requireUsable(status: number): void {
  if (status === 200) return;
  const message = `the host answers with status ${status}`;
  if (status >= 500 || status === 408 || status === 429) throw unavailable(`the source URL: ${message}`);
  throw refuse('status', message);
}

const refuse = (rule: string, message: string, path = FIELD) =>
  new PlatformError('INVALID', `${path}: ${message}`, { details: [{ path, rule, message }] });
const tooLarge = (maxBytes: number) => {
  const message = `the answer is larger than ${maxBytes} bytes`;
  return new PlatformError('TOO_LARGE', `${FIELD}: ${message}`, {
    details: [{ path: FIELD, rule: 'max_bytes', message }],
  });
};
const tooSlow = (timeoutMs: number) => refuse('time', `the answer takes longer than ${timeoutMs / 1000} s`);
const unavailable = (message: string, cause?: unknown) => new PlatformError('UNAVAILABLE', message, { cause });
