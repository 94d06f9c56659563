import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { HttpBindings } from '@hono/node-server';
import type { Context, Env } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { HTTPException } from 'hono/http-exception';
import { PlatformError } from '../errors.ts';
import { isNestedWithin, MAX_JSON_DEPTH } from './json-depth.ts';

export const tooLarge = (maxBytes: number) =>
  new PlatformError('TOO_LARGE', `the body is larger than ${maxBytes} bytes`);

/** Bodies come as they are: a compressed one (415) could be any size inside. */
export function requireNoEncoding(c: Context): void {
  const encoding = c.req.header('content-encoding');
  if (encoding === undefined || encoding.toLowerCase() === 'identity') return;
  throw new HTTPException(415, { message: 'send the body without a Content-Encoding' });
}

/** Reads a whole body, which stays readable through `c.req`. Throws TOO_LARGE, whether its length is announced or not. */
export async function readBody(c: Context, maxBytes: number): Promise<Buffer<ArrayBuffer>> {
  requireNoEncoding(c);
  const length = c.req.header('content-length');
  if (length !== undefined && Number(length) > maxBytes) throw tooLarge(maxBytes);
  try {
    if (length === undefined) await limitChunks(c, maxBytes);
    return Buffer.from(await c.req.arrayBuffer());
  } catch (cause) {
    if (cause instanceof PlatformError) throw cause;
    throw brokenOff(cause);
  }
}

const brokenOff = (cause?: unknown) => new HTTPException(400, { message: 'the body broke off before its end', cause });

/** As `readBody`, but the body can be read only once: without a copy, straight from the socket where there is one. */
export async function takeBody(c: Context, maxBytes: number): Promise<Buffer<ArrayBuffer>> {
  const { incoming } = (c.env ?? {}) as Partial<HttpBindings>;
  if (!incoming) return await readBody(c, maxBytes);
  if (incoming.headers['content-encoding'] !== undefined) requireNoEncoding(c);
  if (Number(incoming.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
  return await gather(incoming, maxBytes);
}

const gather = (incoming: IncomingMessage, maxBytes: number): Promise<Buffer<ArrayBuffer>> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer<ArrayBuffer>[] = [];
    let bytes = 0;
    incoming.on('data', (chunk: Buffer<ArrayBuffer>) => {
      bytes += chunk.length;
      if (bytes <= maxBytes) chunks.push(chunk);
      else reject(tooLarge(maxBytes));
    });
    incoming.on('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)));
    incoming.on('close', () => {
      if (!incoming.readableEnded) reject(brokenOff());
    });
  });

const limitChunks = (c: Context, maxBytes: number) =>
  bodyLimit({
    maxSize: maxBytes,
    onError: () => {
      throw tooLarge(maxBytes);
    },
  })(c as Context<Env, string>, () => Promise.resolve());

/** Reads a body and makes sure that it may be parsed as JSON: not too large (413), UTF-8 (400), not too deep (422). */
export async function readJsonBody(c: Context, maxBytes: number): Promise<Buffer<ArrayBuffer>> {
  const bytes = await readBody(c, maxBytes);
  requireParsable(bytes);
  return bytes;
}

/** Makes sure that bytes may be parsed as JSON: UTF-8 (400), not too deep (422). */
export function requireParsable(json: Uint8Array): void {
  requireUtf8(json);
  requireShallow(json);
}

/** Throws 400. */
export function requireUtf8(bytes: Uint8Array): void {
  if (!isUtf8(bytes)) throw new HTTPException(400, { message: 'the body is not UTF-8' });
}

/** Throws INVALID when the objects and arrays of a JSON text nest too deep. Looks at every byte. */
export function requireShallow(json: Uint8Array): void {
  if (isNestedWithin(json, MAX_JSON_DEPTH)) return;
  const message = `must nest at most ${MAX_JSON_DEPTH} objects and arrays`;
  throw new PlatformError('INVALID', `the body is nested too deep`, {
    details: [{ path: 'body', rule: 'max_depth', message }],
  });
}
