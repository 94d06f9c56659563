import { readdir } from 'node:fs/promises';

/** A segment takes no line when it is this large or this old; so its name says when it can have no writer any more. */
export const SEGMENT_BYTES = 8 * 2 ** 20;
export const SEGMENT_MS = 10_000;
// For clocks of machines that share a folder, and a writer that was held up between looking at the clock and writing.
const SLACK_MS = 60_000;

export interface Segment {
  readonly name: string;
  readonly openedMs: number;
  /** No writer will add to it. */
  readonly closed: boolean;
}

/** `writer` is unique to one opening of a spool; each of its segments replaces the one before. Names sort by time. */
export const segmentName = (openedMs: number, writer: string, sequence: number) =>
  `${String(openedMs).padStart(13, '0')}-${writer}-${sequence}.jsonl`;

/** The segments of a spool, oldest first; none when there is no such folder. */
export async function listSegments(folder: string, nowMs: number): Promise<Segment[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const found = names.flatMap((name) => {
    const match = /^(\d{13})-(.+)-(\d+)\.jsonl$/.exec(name);
    return match ? [{ name, openedMs: Number(match[1]), writer: match[2]!, sequence: Number(match[3]) }] : [];
  });
  const latest = new Map<string, number>();
  for (const { writer, sequence } of found) latest.set(writer, Math.max(sequence, latest.get(writer) ?? 0));
  return found
    .map(({ name, openedMs, writer, sequence }) => ({
      name,
      openedMs,
      closed: sequence < latest.get(writer)! || nowMs - openedMs > SEGMENT_MS + SLACK_MS,
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
