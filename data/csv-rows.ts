import { createReadStream } from 'node:fs';
import type { ErrorDetail } from '../lib/errors.ts';
import { MAX_ROW_BYTES } from './file-head.ts';

const QUOTE = 0x22;
const LF = 0x0a;
const CR = 0x0d;

/** The first row of a CSV file that is too long or ends in another way (CRLF, LF) than the rows before it, if any. */
export async function badRow(file: string): Promise<ErrorDetail[]> {
  const scan = createScan();
  for await (const bytes of createReadStream(file, { highWaterMark: 1 << 18 }) as AsyncIterable<Buffer>) {
    const found = scan(bytes);
    if (found) return [found];
  }
  return [];
}

function createScan(): (bytes: Buffer) => ErrorDetail | null {
  let quoted = false;
  let previous = 0;
  let row = 0;
  let length = 0;
  let windows: boolean | null = null;
  return (bytes) => {
    for (const byte of bytes) {
      length++;
      if (byte === QUOTE) quoted = !quoted;
      else if (byte === LF && !quoted) {
        if (windows !== null && windows !== (previous === CR)) return rowEnd(row);
        windows = previous === CR;
        row++;
        length = 0;
      }
      previous = byte;
    }
    return length > MAX_ROW_BYTES ? rowSize(row) : null;
  };
}

const rowEnd = (row: number) => ({
  path: `row ${row}`,
  rule: 'row_ends',
  message: 'ends in another way (CRLF or LF) than the rows before it',
});
const rowSize = (row: number) => ({
  path: `row ${row}`,
  rule: 'row_size',
  message: `is longer than ${MAX_ROW_BYTES} bytes`,
});
