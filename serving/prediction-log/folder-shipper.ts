import { appendFile, open, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { PlatformError } from '../../lib/errors.ts';
import { createKeptJson } from '../../lib/kept-json.ts';
import { singleLines } from './batch-line.ts';
import { createBatchReader } from './segment-reader.ts';
import { listSegments, type Segment } from './segments.ts';

/** Adds lines of a spool to the table. Throws INVALID when one of them can never be stored; anything else passes. */
export type InsertPredictions = (lines: string) => Promise<void>;
export interface FolderShipperDeps {
  readonly folder: string;
  readonly insert: InsertPredictions;
  /** Called after each batch with the time it took; the next one waits for it. */
  readonly pace?: (tookMs: number) => Promise<void>;
  /** A line was put aside, into `rejected.jsonl`. */
  readonly onRejected: (error: unknown) => void;
}
export interface SpoolState {
  /** All of the spool on disk. */
  readonly bytes: number;
  /** What of it was shipped, or put aside. */
  readonly settledBytes: number;
  /** When the oldest segment that waits was opened; null when none does. */
  readonly waitingSinceMs: number | null;
}
export type FolderShipper = ReturnType<typeof createFolderShipper>;

// Then others get a turn, and the position is kept.
const BATCHES = 20;

/**
 * Ships the segments of one spool, oldest first, and deletes those that are shipped and get no more lines. Any number of
 * processes may do so at once: rows are inserted once, and a segment goes only when nobody can be writing to it.
 */
export function createFolderShipper({ folder, insert, pace, onRejected }: FolderShipperDeps) {
  const positionsFile = createKeptJson<Record<string, number>>(join(folder, 'positions.json'));
  const rejectedFile = join(folder, 'rejected.jsonl');
  const readBatch = createBatchReader();
  let positions: Map<string, number> | null = null;
  let shipped = 0;
  let rejected = 0;

  const positionOf = (segment: Segment) => positions?.get(segment.name) ?? 0;
  const remember = async () => {
    positions ??= new Map(Object.entries((await positionsFile.load()) ?? {}));
    return positions;
  };
  const insertOrPutAside = async (lines: string): Promise<void> => {
    try {
      await insert(lines);
    } catch (error) {
      if (!(error instanceof PlatformError && error.code === 'INVALID')) throw error;
      const [first, second] = halvesOf(lines);
      if (second !== undefined) {
        await insertOrPutAside(first);
        return await insertOrPutAside(second);
      }
      await appendFile(rejectedFile, lines, { mode: 0o600 });
      rejected++;
      onRejected(error);
    }
  };
  /** Answers how many batches it shipped; fewer than asked for when no line is left. */
  const shipSegment = async (segment: Segment, batches: number): Promise<number> => {
    const file = await open(join(folder, segment.name), 'r');
    try {
      for (let done = 0; done < batches; done++) {
        const batch = await readBatch(file, positionOf(segment));
        if (batch === null) return done;
        const [before, startedMs] = [rejected, performance.now()];
        await insertOrPutAside(batch.lines);
        positions!.set(segment.name, positionOf(segment) + batch.bytes);
        shipped += batch.count - (rejected - before);
        await pace?.(performance.now() - startedMs);
      }
      return batches;
    } finally {
      await file.close();
    }
  };
  const forget = async (segment: Segment) => {
    await unlink(join(folder, segment.name));
    positions!.delete(segment.name);
  };

  return {
    shipped: () => shipped,
    rejected: () => rejected,

    /** Ships a bounded part; answers whether more waits. Throws what `insert` throws, having lost nothing. */
    ship: async (): Promise<boolean> => {
      const known = await remember();
      const segments = await listSegments(folder, Date.now());
      for (const name of known.keys()) if (!segments.some((segment) => segment.name === name)) known.delete(name);
      let left = BATCHES;
      try {
        for (const segment of segments) {
          left -= await unlessGone(shipSegment(segment, left), 0);
          if (left === 0) return true;
          if (segment.closed) await unlessGone(forget(segment), undefined);
        }
        return false;
      } finally {
        if (segments.length > 0) await unlessGone(positionsFile.save(Object.fromEntries(known)), false);
      }
    },

    /** As it lies on the disk now. */
    measure: async (): Promise<SpoolState> => {
      await remember();
      const put = await sizeOf(rejectedFile);
      let [bytes, settledBytes, waitingSinceMs]: [number, number, number | null] = [put, put, null];
      for (const segment of await listSegments(folder, Date.now())) {
        const size = await sizeOf(join(folder, segment.name));
        const settled = Math.min(size, positionOf(segment));
        bytes += size;
        settledBytes += settled;
        if (settled < size) waitingSinceMs ??= segment.openedMs;
      }
      return { bytes, settledBytes, waitingSinceMs };
    },
  };
}

const sizeOf = async (path: string): Promise<number> => await unlessGone(stat(path).then(({ size }) => size), 0); // prettier-ignore

/** Another process may ship the same spool. */
async function unlessGone<T>(work: Promise<T>, otherwise: T): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return otherwise;
    throw error;
  }
}

function halvesOf(lines: string): [string, string?] {
  const middle = lines.indexOf('\n', lines.length / 2);
  const cut = middle >= 0 && middle < lines.length - 1 ? middle : lines.lastIndexOf('\n', lines.length - 2);
  if (cut >= 0) return [lines.slice(0, cut + 1), lines.slice(cut + 1)];
  const [first, ...others] = readable(lines);
  return others.length === 0 ? [lines] : [first!, others.join('')];
}

/** Of each prediction in a line, a line; of none that can be told apart, the line. */
function readable(line: string): string[] {
  try {
    return singleLines(line);
  } catch {
    return [line];
  }
}
