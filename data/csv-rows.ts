import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
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

/** Does the file end in a row longer than allowed? DuckDB leaves out one that exceeds its buffer, and says nothing. */
export async function endsInLongRow(file: string): Promise<boolean> {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    if (size <= MAX_ROW_BYTES) return false;
    const tail = Buffer.alloc(MAX_ROW_BYTES);
    await handle.read(tail, 0, MAX_ROW_BYTES, size - MAX_ROW_BYTES);
    const rest = tail.toString('latin1').replace(/[\r\n]+$/, '');
    return !rest.includes('\n') && !rest.includes('\r');
  } finally {
    await handle.close();
  }
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
