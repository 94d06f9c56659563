import { createReadStream } from 'node:fs';
import type { ErrorDetail } from '../lib/errors.ts';

const QUOTE = 0x22;
const LF = 0x0a;
const CR = 0x0d;

/** The first row of a CSV file that ends differently from the rows before it; empty when all end alike. */
export async function rowEnds(file: string): Promise<ErrorDetail[]> {
  let quoted = false;
  let previous = 0;
  let row = 0;
  let first: boolean | null = null;
  for await (const bytes of createReadStream(file) as AsyncIterable<Buffer>) {
    for (const byte of bytes) {
      if (byte === QUOTE) quoted = !quoted;
      if (byte === LF && !quoted) {
        const windows = previous === CR;
        if (first !== null && first !== windows) {
          const message = 'ends in another way (CRLF or LF) than the rows before it';
          return [{ path: `row ${row}`, rule: 'row_ends', message }];
        }
        first = windows;
        row++;
      }
      previous = byte;
    }
  }
  return [];
}
