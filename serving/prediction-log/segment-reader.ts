import type { FileHandle } from 'node:fs/promises';
import { rowsAt } from './batch-line.ts';

const BATCH_ROWS = 500;
const CHUNK_BYTES = 256 * 1024;
const NEWLINE = 10;

export interface Batch {
  /** Whole lines, each with its "\n". */
  readonly lines: string;
  /** Predictions in them. */
  readonly count: number;
  readonly bytes: number;
}

/** Reads segments, one at a time, through memory that is used again. */
export function createBatchReader() {
  const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);

  /** The next lines, of at most 500 predictions or about 256 KiB; null when there is no whole line (yet). */
  return async (file: FileHandle, position: number): Promise<Batch | null> => {
    for (let memory = chunk; ; memory = Buffer.allocUnsafe(memory.length * 2)) {
      const { bytesRead } = await file.read(memory, 0, memory.length, position);
      const { bytes, count } = measureLines(memory.subarray(0, bytesRead));
      if (count > 0) return { lines: memory.toString('utf8', 0, bytes), count, bytes };
      if (bytesRead < memory.length) return null;
    }
  };
}

function measureLines(chunk: Buffer): { readonly bytes: number; readonly count: number } {
  let [bytes, count] = [0, 0];
  for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, bytes)) {
    const rows = rowsAt(chunk, bytes);
    if (count > 0 && count + rows > BATCH_ROWS) break;
    count += rows;
    bytes = end + 1;
  }
  return { bytes, count };
}
