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
  const foreign = foreignFormat(head, format);
  if (foreign) throw violation('file', foreign.rule, `the file ${foreign.message}`);
  if (format === 'parquet' && (tail.toString('latin1') !== 'PAR1' || head.length < 12)) {
    throw violation('file', 'parquet', 'the Parquet file is truncated: its end is missing');
  }
}

/** Why a file that begins with `head` cannot be of the format, or null. Ten bytes are enough. */
export function foreignFormat(head: Uint8Array, format: SourceFormat): { rule: string; message: string } | null {
  const begins = (bytes: Signature['bytes']) => bytes.every((byte, index) => byte === null || head[index] === byte);
  if (format === 'parquet') return begins(PARQUET) ? null : { rule: 'parquet', message: 'is not Parquet' };
  if (begins(PARQUET)) return { rule: format, message: `is Parquet, but was sent as ${format}` };
  const known = SIGNATURES.find(({ bytes }) => begins(bytes));
  return known ? { rule: known.rule, message: `is ${known.name}, but must be plain UTF-8 text` } : null;
}

interface Signature {
  /** null = any byte. */
  readonly bytes: readonly (number | null)[];
  readonly rule: 'utf8' | 'plain_text';
  readonly name: string;
}
const ascii = (text: string) => [...Buffer.from(text, 'latin1')];
const PARQUET = ascii('PAR1');
const SIGNATURES: readonly Signature[] = [
  { bytes: [0xff, 0xfe], rule: 'utf8', name: 'UTF-16 text' },
  { bytes: [0xfe, 0xff], rule: 'utf8', name: 'UTF-16 text' },
  { bytes: [0x1f, 0x8b], rule: 'plain_text', name: 'compressed (gzip)' },
  { bytes: [0x28, 0xb5, 0x2f, 0xfd], rule: 'plain_text', name: 'compressed (zstd)' },
  { bytes: [0xfd, ...ascii('7zXZ'), 0], rule: 'plain_text', name: 'compressed (xz)' },
  { bytes: [...ascii('BZh'), null, ...ascii('1AY&SY')], rule: 'plain_text', name: 'compressed (bzip2)' },
  { bytes: [...ascii('7z'), 0xbc, 0xaf, 0x27, 0x1c], rule: 'plain_text', name: 'a 7z archive' },
  { bytes: [...ascii('PK'), 3, 4], rule: 'plain_text', name: 'a zip archive or a spreadsheet' },
  { bytes: [...ascii('PK'), 5, 6], rule: 'plain_text', name: 'an empty zip archive' },
  { bytes: [0xd0, 0xcf, 0x11, 0xe0], rule: 'plain_text', name: 'an old Office document' },
  { bytes: [0x7f, ...ascii('ELF')], rule: 'plain_text', name: 'a program' },
  { bytes: ascii('%PDF-'), rule: 'plain_text', name: 'a PDF' },
];
