import { HTTPException } from 'hono/http-exception';
import { PlatformError } from '../lib/errors.ts';
import { parseLeniently } from './lenient-json.ts';

const utf8 = new TextDecoder();

/** A body as text and as what it says; NaN and Infinity, which Python writes, break a rule of their field. Throws 400. */
export function parseJson(bytes: Uint8Array): { readonly text: string; readonly value: unknown } {
  const text = utf8.decode(bytes);
  try {
    return { text, value: parseLeniently(text, '1e999') };
  } catch (cause) {
    throw new HTTPException(400, { message: 'the body is not JSON', cause });
  }
}

/** The array of a batch body. Throws INVALID. */
export function rowsOf(body: unknown, maxRows: number): unknown[] {
  if (typeof body !== 'object' || body === null || !('rows' in body) || !Array.isArray(body.rows))
    throw badBatch('rows', 'required', 'the body must be {"rows": [...]}');
  const extra = Object.keys(body).find((key) => key !== 'rows');
  if (extra !== undefined) throw badBatch(extra, 'unknown_field', 'the body must be {"rows": [...]}');
  if (body.rows.length === 0) throw badBatch('rows', 'min_items', 'must hold at least one row');
  if (body.rows.length > maxRows) throw badBatch('rows', 'max_items', `must hold at most ${maxRows} rows`);
  return body.rows;
}

const badBatch = (path: string, rule: string, message: string) =>
  new PlatformError('INVALID', `the batch is not valid: ${path} ${message}`, { details: [{ path, rule, message }] });
