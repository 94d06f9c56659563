import { createReadStream } from 'node:fs';
import type { ErrorDetail } from '../lib/errors.ts';
import { MAX_ROW_BYTES } from './file-head.ts';

const NEWLINE = 0x0a;

/** The first `limit` lines of an NDJSON file that are no JSON object in UTF-8 of a bounded size. */
export async function badLines(file: string, limit: number): Promise<ErrorDetail[]> {
  const found: ErrorDetail[] = [];
  let line = 0;
  for await (const bytes of lines(file)) {
    line++;
    const problem = problemOf(bytes);
    if (problem) found.push({ path: `row ${line}`, ...problem });
    if (found.length === limit || bytes === null) break;
  }
  return found;
}

/** Every key that occurs in a line of the file. */
export async function keysOf(file: string): Promise<string[]> {
  const keys = new Set<string>();
  for await (const bytes of lines(file)) {
    const text = bytes?.toString().trim();
    if (text) for (const key of Object.keys(JSON.parse(text) as object)) keys.add(key);
  }
  return [...keys];
}

/** Lines without their end; null, as the last one, for a line that is too long. */
async function* lines(file: string): AsyncGenerator<Buffer | null> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 18 }) as AsyncIterable<Buffer>) {
    const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
      yield bytes.subarray(start, end);
      start = end + 1;
    }
    rest = bytes.subarray(start);
    if (rest.length > MAX_ROW_BYTES) {
      yield null;
      return;
    }
  }
  if (rest.length > 0) yield rest;
}

function problemOf(bytes: Buffer | null): Omit<ErrorDetail, 'path'> | null {
  if (bytes === null) return { rule: 'row_size', message: `is longer than ${MAX_ROW_BYTES} bytes` };
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes).trim();
    if (text === '') return null;
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return null;
    return { rule: 'ndjson', message: 'is JSON, but not an object' };
  } catch (error) {
    if (error instanceof SyntaxError) return { rule: 'ndjson', message: 'is not valid JSON' };
    return { rule: 'utf8', message: 'is not UTF-8 text' };
  }
}
