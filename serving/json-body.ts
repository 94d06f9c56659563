import { HTTPException } from 'hono/http-exception';
import { PlatformError } from '../lib/errors.ts';
import { requireShallow, requireUtf8 } from '../lib/http/body.ts';
import { parseLeniently } from './lenient-json.ts';

const utf8 = new TextDecoder();

/**
 * What `read` makes of a body. If it refuses it, a body that is nested too deep is refused for that: looking for it in every
 * body takes as long as scoring it, and one that is right is flat.
 */
export function readFlat<T>(body: Uint8Array, read: () => T): T {
  try {
    return read();
  } catch (error) {
    requireShallow(body);
    throw error;
  }
}

/** A body as text and as what it says; NaN and Infinity, which Python writes, break a rule of their field. Throws 400. */
export function parseJson(bytes: Uint8Array): { readonly text: string; readonly value: unknown } {
  requireUtf8(bytes);
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

const LINE_BREAK = /[\n\r]/;

/** JSON of a value that is known to be right, on one line: as it was sent where that is on one line. */
export const lineOf = (text: string, value: unknown): string => (LINE_BREAK.test(text) ? JSON.stringify(value) : text);

/** JSON of the rows of a batch body, all of which are right and so hold nothing nested: arrays of so many rows, each on one line. */
export function rowArrays(text: string, rows: readonly unknown[], atOnce: number): string[] {
  const cut = cutRows(text, rows.length, atOnce);
  if (cut) return cut;
  const starts = rows.flatMap((_, row) => (row % atOnce === 0 ? row : []));
  return starts.map((from) => JSON.stringify(rows.slice(from, from + atOnce)));
}

/** The rows as they were sent; null where a brace that may be part of a text makes their ends uncertain. */
function cutRows(text: string, count: number, atOnce: number): string[] | null {
  if (LINE_BREAK.test(text)) return null;
  const arrays: string[] = [];
  let from = 0;
  let end = text.indexOf('{');
  for (let row = 0; row < count; row++) {
    const start = text.indexOf('{', end + 1);
    end = text.indexOf('}', end + 1);
    if (start < 0 || end < start) return null;
    if (row % atOnce === 0) from = start;
    if (row % atOnce === atOnce - 1 || row === count - 1) arrays.push(`[${text.slice(from, end + 1)}]`);
  }
  // As many closing braces as rows, and the body's own: each of them closes one.
  return text.indexOf('}', end + 1) === text.lastIndexOf('}') ? arrays : null;
}
