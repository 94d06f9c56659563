import { violation } from './violations.ts';
import { MAX_ROW_BYTES } from './file-head.ts';

export interface CsvHeader {
  readonly names: readonly string[];
  readonly delimiter: string;
}

const DELIMITERS = [',', ';', '\t', '|'];

/**
 * The header row of a CSV file that starts with `head`. The delimiter is the one of `, ; tab |` that occurs most often
 * in it. Throws DATA_CONTRACT when the file has no row below its header, or the header is not UTF-8.
 */
export function readCsvHeader(head: Buffer): CsvHeader {
  const start = head.subarray(0, 3).equals(Buffer.from([0xef, 0xbb, 0xbf])) ? 3 : 0;
  const end = endOfRow(head, start);
  if (end === -1 && head.length >= MAX_ROW_BYTES) {
    throw violation('row 0', 'row_size', `the header is longer than ${MAX_ROW_BYTES} bytes`);
  }
  const row = decode(head.subarray(start, end === -1 ? head.length : end));
  if (row.trim() === '') throw violation('file', 'header', 'the first row is blank; it must name the columns');
  if (end === -1 || head.subarray(end).toString('latin1').trim() === '') {
    throw violation('file', 'not_empty', 'the file has a header but no rows');
  }
  const delimiter = mostFrequent(row);
  return { names: fields(row, delimiter), delimiter };
}

const QUOTE = 0x22;

function endOfRow(bytes: Buffer, start: number): number {
  let quoted = false;
  for (let i = start; i < bytes.length; i++) {
    if (bytes[i] === QUOTE) quoted = !quoted;
    else if (!quoted && (bytes[i] === 0x0a || bytes[i] === 0x0d)) return i;
  }
  return -1;
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw violation('row 0', 'utf8', 'the header is not UTF-8 text');
  }
}

function mostFrequent(row: string): string {
  const unquoted = row.replace(/"[^"]*"/g, '');
  const counts = DELIMITERS.map((delimiter) => unquoted.split(delimiter).length);
  return DELIMITERS[counts.indexOf(Math.max(...counts))]!;
}

function fields(row: string, delimiter: string): string[] {
  const names: string[] = [];
  let field = '';
  let quoted = false;
  for (const character of row) {
    if (character === '"') quoted = !quoted;
    else if (character === delimiter && !quoted) {
      names.push(field.trim());
      field = '';
    } else field += character;
  }
  return [...names, field.trim()];
}
