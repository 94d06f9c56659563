import type { FileHandle } from 'node:fs/promises';

export const BATCH_LINES = 500;
const CHUNK_BYTES = 256 * 1024;
const NEWLINE = 10;

export interface Batch {
  /** Whole lines, each with its "\n". */
  readonly lines: string;
  readonly count: number;
  readonly bytes: number;
}

/** The next lines of a segment, at most 500 or about 256 KiB; null when there is no whole line (yet). */
export async function readBatch(file: FileHandle, position: number): Promise<Batch | null> {
  for (let size = CHUNK_BYTES; ; size *= 2) {
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(size), 0, size, position);
    const chunk = buffer.subarray(0, bytesRead);
    let bytes = 0;
    let count = 0;
    for (; count < BATCH_LINES; count++) {
      const end = chunk.indexOf(NEWLINE, bytes);
      if (end < 0) break;
      bytes = end + 1;
    }
    if (count > 0) return { lines: chunk.toString('utf8', 0, bytes), count, bytes };
    if (bytesRead < size) return null;
  }
}
