import { open } from 'node:fs/promises';
import { violation } from './violations.ts';

export type SourceFormat = 'csv' | 'parquet' | 'ndjson';

/** Longest row of a CSV or NDJSON file, in bytes. */
export const MAX_ROW_BYTES = 1024 * 1024;

/** The first bytes of a file, as much as a row may have. Throws DATA_CONTRACT when they are not of the format. */
export async function readHead(file: string, format: SourceFormat): Promise<Buffer> {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    if (size === 0) throw violation('file', 'not_empty', 'the file is empty');
    const head = await slice(handle, 0, Math.min(size, MAX_ROW_BYTES));
    const tail = await slice(handle, Math.max(0, size - 4), Math.min(size, 4));
    checkFormat(head, tail, format);
    return head;
  } finally {
    await handle.close();
  }
}

async function slice(handle: Awaited<ReturnType<typeof open>>, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}

function checkFormat(head: Buffer, tail: Buffer, format: SourceFormat): void {
  const isParquet = head.subarray(0, 4).toString('latin1') === 'PAR1';
  if (format === 'parquet') {
    if (!isParquet) throw violation('file', 'parquet', 'the file is not Parquet');
    if (tail.toString('latin1') !== 'PAR1' || head.length < 12) {
      throw violation('file', 'parquet', 'the Parquet file is truncated: its end is missing');
    }
    return;
  }
  if (isParquet) throw violation('file', format, `the file is Parquet, but was sent as ${format}`);
  const known = SIGNATURES.find(({ bytes }) => bytes.every((byte, index) => head[index] === byte));
  if (known) throw violation('file', known.rule, `the file is ${known.name}, but must be plain UTF-8 text`);
}

const SIGNATURES = [
  { bytes: [0xff, 0xfe], rule: 'utf8', name: 'UTF-16 text' },
  { bytes: [0xfe, 0xff], rule: 'utf8', name: 'UTF-16 text' },
  { bytes: [0x1f, 0x8b], rule: 'plain_text', name: 'compressed (gzip)' },
  { bytes: [0x50, 0x4b, 0x03, 0x04], rule: 'plain_text', name: 'a zip archive or a spreadsheet' },
];
