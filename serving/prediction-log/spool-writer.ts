import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { PlatformError } from '../../lib/errors.ts';
import { rowsAt } from './batch-line.ts';
import type { PredictionLog } from './record.ts';
import { createSegmentFile, type Disk, type SegmentFile } from './segment-file.ts';
import { openSpoolCounters } from './spool-counters.ts';

/** Of one spool; can be sent to a thread. */
export interface SpoolSettings {
  readonly folder: string;
  /** On disk, over all writers of this process. */
  readonly maxBytes: number;
  readonly whenFull: 'refuse' | 'drop';
  /** What a power cut may cost. */
  readonly syncMs: number;
  readonly counters: SharedArrayBuffer;
}
export interface SpoolWriterDeps {
  /** Letters: which writer of the process this is. */
  readonly name: string;
  /** The disk failed: told once until it works again. */
  readonly onError: (error: Error) => void;
  /** In place of the system's. */
  readonly disk?: Disk;
}
export interface SpoolWriter extends PredictionLog {
  /** Like `commit`, at once: for a thread that answers nobody meanwhile. Throws where `commit` rejects. */
  readonly append: (lines: Uint8Array) => void;
  /** Writes what was committed. Resolves when all is on the disk; nothing may be committed any more. */
  readonly close: () => Promise<void>;
}

const FULL = { reason: 'the prediction log is full', retryAfterSeconds: 5 };
const FAILED = { reason: 'predictions cannot be logged now', retryAfterSeconds: 1 };
const NEWLINE = 10;

/** Opens a spool for writing; its segments are new files, so nothing is ever added to those of a process that was killed. */
export function openSpoolWriter(settings: SpoolSettings, { name, onError, disk }: SpoolWriterDeps): SpoolWriter {
  const { folder, maxBytes, whenFull, syncMs } = settings;
  const counters = openSpoolCounters(settings.counters);
  const writer = `${name}.${randomBytes(4).toString('hex')}`;
  let segment: SegmentFile | null = null;
  let sequence = 0;
  let failing = false;
  let pending = '';
  let turn: PromiseWithResolvers<void> | null = null;
  mkdirSync(folder, { recursive: true, mode: 0o700 });

  const failed = (error: unknown) => {
    if (!failing) onError(error as Error);
    failing = true;
  };
  const openSegment = (): SegmentFile => {
    if (segment?.isOpen()) return segment;
    segment?.close().catch(failed);
    segment = null;
    return (segment = createSegmentFile(folder, writer, ++sequence, disk));
  };
  const keep = (lines: Uint8Array): void => {
    try {
      openSegment().append(lines);
    } catch (error) {
      segment?.abandon();
      segment = null;
      failed(error);
      return turnAway(lines, FAILED);
    }
    failing = false;
    counters.add('used', lines.length);
  };
  /** Lines that cannot be kept. */
  const turnAway = (lines: Uint8Array, { reason, retryAfterSeconds }: typeof FULL): void => {
    counters.add(whenFull === 'drop' ? 'dropped' : 'refused', rowsIn(lines));
    if (whenFull === 'refuse') throw new PlatformError('UNAVAILABLE', reason, { retryAfterSeconds });
  };
  const hasRoom = (bytes: number) => counters.read('used') + bytes <= maxBytes;
  const endTurn = (): void => {
    if (!turn) return;
    const { resolve, reject } = turn;
    const lines = Buffer.from(pending);
    turn = null;
    pending = '';
    try {
      keep(lines);
      resolve();
    } catch (error) {
      reject(error);
    }
  };
  const syncing = setInterval(() => {
    const current = segment;
    current?.sync().catch((error: unknown) => {
      failed(error);
      if (segment !== current) return;
      current.abandon(); // what a disk says of this file is not to be believed any more
      segment = null;
    });
  }, syncMs).unref();

  return {
    commit: (lines) => {
      if (!hasRoom(pending.length + lines.length))
        return new Promise((resolve) => resolve(turnAway(Buffer.from(lines), FULL)));
      pending += lines;
      if (!turn) {
        turn = Promise.withResolvers();
        // After the promises that are settled by now: a whole micro-batch, which then is answered in this turn of the loop.
        process.nextTick(endTurn);
      }
      return turn.promise;
    },
    append: (lines) => (hasRoom(lines.length) ? keep(lines) : turnAway(lines, FULL)),
    close: async () => {
      clearInterval(syncing);
      endTurn();
      await segment?.close();
    },
  };
}

function rowsIn(lines: Uint8Array): number {
  let count = 0;
  for (let start = 0, end; (end = lines.indexOf(NEWLINE, start)) >= 0; start = end + 1) count += rowsAt(lines, start);
  return count;
}
