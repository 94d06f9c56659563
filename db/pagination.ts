import { PlatformError } from '../lib/errors.ts';

export interface PageRequest {
  readonly limit: number;
  /** `nextCursor` of the page before. */
  readonly cursor?: string | undefined;
}
export interface Page<Row> {
  readonly items: Row[];
  /** null on the last page. */
  readonly nextCursor: string | null;
}
type Key = string | number | Date;

/** Cuts `limit + 1` fetched rows to a page; `keyOf` gives the columns the query is ordered by. */
export function toPage<Row>(rows: readonly Row[], limit: number, keyOf: (row: Row) => readonly Key[]): Page<Row> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, nextCursor: rows.length > limit && last !== undefined ? encode(keyOf(last)) : null };
}

/** The keys after which the page starts, or null for the first page. Throws NOT_FOUND for a cursor of another list. */
export function readCursor<const Kinds extends readonly (keyof Readers)[]>(
  cursor: string | undefined,
  kinds: Kinds,
): { [K in keyof Kinds]: ReturnType<Readers[Kinds[K]]> } | null {
  if (cursor === undefined) return null;
  const keys = decode(cursor);
  if (keys.length !== kinds.length) throw noSuchPage();
  return kinds.map((kind, index) => readers[kind](keys[index])) as never;
}

const encode = (keys: readonly Key[]) => Buffer.from(JSON.stringify(keys)).toString('base64url');

function decode(cursor: string): unknown[] {
  try {
    const keys: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (Array.isArray(keys)) return keys as unknown[];
  } catch {
    // The same answer as for JSON that is no list.
  }
  throw noSuchPage();
}

type Readers = typeof readers;
const readers = {
  text: (key: unknown): string => {
    // Postgres text cannot hold NUL.
    if (typeof key !== 'string' || key.includes('\0')) throw noSuchPage();
    return key;
  },
  uuid: (key: unknown): string => {
    if (typeof key !== 'string' || !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(key)) throw noSuchPage();
    return key;
  },
  integer: (key: unknown): number => {
    if (!Number.isInteger(key) || Math.abs(key as number) > 0x7fffffff) throw noSuchPage();
    return key as number;
  },
  time: (key: unknown): Date => {
    const time = typeof key === 'string' && /^\d{4}-/.test(key) ? new Date(key) : new Date(NaN);
    if (Number.isNaN(time.getTime())) throw noSuchPage();
    return time;
  },
};

const noSuchPage = () =>
  new PlatformError('NOT_FOUND', 'the cursor is not one this list answered', {
    details: [{ path: 'cursor', rule: 'cursor', message: 'use next_cursor of the page before, unchanged' }],
  });
