import { closeSync, fdatasync, fsync, ftruncateSync, open, openSync, unlinkSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { SEGMENT_BYTES, SEGMENT_MS, segmentName } from './segments.ts';

/** What may fail. */
export interface Disk {
  /** Answers how many bytes it wrote. */
  readonly write: (fd: number, bytes: Uint8Array, offset: number, length: number) => number;
  readonly sync: (fd: number) => Promise<void>;
}
export type SegmentFile = ReturnType<typeof createSegmentFile>;

const SYSTEM: Disk = { write: writeSync, sync: promisify(fdatasync) };

/** A new segment, readable by its user alone. Throws what the file system says. */
export function createSegmentFile(folder: string, writer: string, sequence: number, disk = SYSTEM) {
  const openedMs = Date.now();
  const path = join(folder, segmentName(openedMs, writer, sequence));
  const fd = openSync(path, 'ax', 0o600);
  let bytes = 0;
  let synced = 0;
  let syncing = syncFolder(path);

  const sync = (): Promise<void> => {
    syncing = syncing.then(async () => {
      const upTo = bytes;
      if (upTo === synced) return;
      await disk.sync(fd);
      synced = upTo;
    });
    return syncing;
  };
  return {
    /** May more be written? The time is looked at for the sake of who deletes segments: see `SEGMENT_MS`. */
    isOpen: (): boolean => {
      const age = Date.now() - openedMs;
      return bytes < SEGMENT_BYTES && age >= 0 && age < SEGMENT_MS;
    },

    /** Writes all of it or throws; what a failure left behind goes with `abandon`. */
    append: (chunk: Uint8Array): void => {
      let written = 0;
      while (written < chunk.length) {
        const count = disk.write(fd, chunk, written, chunk.length - written);
        if (count === 0) throw new Error('the file system wrote nothing');
        written += count;
      }
      bytes += chunk.length;
    },

    /** After a failed append: takes back what it wrote. A reader may have seen it, so nothing may be written in its place. */
    abandon: (): void => {
      try {
        ftruncateSync(fd, bytes);
        if (bytes === 0) unlinkSync(path);
      } catch {
        // Then predictions stay whose callers were told otherwise, or a torn line, which readers pass over.
      }
      void sync()
        .catch(() => undefined)
        .then(() => closeSync(fd));
    },

    /** To the disk, in the background. Rejects when the disk fails. */
    sync,

    /** Nothing is written any more. Resolves when it is on the disk. */
    close: (): Promise<void> => sync().finally(() => closeSync(fd)),
  };
}

/** The name of a new file is on the disk when its folder is. */
async function syncFolder(path: string): Promise<void> {
  const folder = await promisify(open)(dirname(path), 'r');
  try {
    await promisify(fsync)(folder);
  } finally {
    closeSync(folder);
  }
}
