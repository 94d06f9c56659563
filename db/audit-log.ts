import { createHash } from 'node:crypto';
import { and, asc, desc, eq, getTableColumns, gt, gte, lt, lte, sql } from 'drizzle-orm';
import type { Database } from './connect.ts';
import { type Page, type PageRequest, readCursor, toPage } from './pagination.ts';
import { type AuditEntry, auditLog } from './schema/audit-log.ts';

/** What is recorded; the log itself gives the number, the time and the hashes. */
export type AuditEvent = Omit<AuditEntry, 'sequence' | 'at' | 'previousSha256' | 'sha256'>;
export interface AuditFilter {
  readonly actor?: string | undefined;
  readonly action?: string | undefined;
  /** What the object begins with. */
  readonly object?: string | undefined;
  readonly since?: Date | undefined;
  /** Exclusive. */
  readonly until?: Date | undefined;
}
/** A place in the chain. Kept elsewhere, it shows later that everything up to it is still there. */
export interface ChainPoint {
  readonly sequence: number;
  readonly sha256: string;
}
export interface ChainReport {
  /** The last row that is sound. */
  readonly head: ChainPoint;
  /** The first that is not; null when all are. */
  readonly flaw: { readonly sequence: number; readonly reason: string } | null;
}
export type AuditLog = ReturnType<typeof createAuditLog>;
/** A row whose detail is the text that was hashed. */
type StoredEntry = Omit<AuditEntry, 'detail'> & { readonly detail: string };

const START: ChainPoint = { sequence: 0, sha256: '0'.repeat(64) };
// Any constant will do, as long as nothing else in the database locks it.
const APPEND_LOCK = 4_213_378;
const ROWS_PER_READ = 1000;
const storedColumns = { ...getTableColumns(auditLog), detail: sql<string>`${auditLog.detail}::text` };

/** On a transaction, the rows are there if and only if the rest of it is. Append last: the next append waits for its end. */
export const createAuditLog = (db: Database) => ({
  /** Adds a row. Appends happen one after the other, so numbers have no gap and each hash covers the row before. */
  append: (event: AuditEvent): Promise<AuditEntry> =>
    db.transaction(async (tx) => {
      const locked = await tx.execute<{ at: string }>(
        sql`select pg_advisory_xact_lock(${APPEND_LOCK}), clock_timestamp() as at`,
      );
      const { sequence, sha256: previousSha256 } = await lastPoint(tx);
      const detail = JSON.stringify(event.detail);
      const row = { ...storable(event), sequence: sequence + 1, at: new Date(locked[0]!.at), previousSha256 };
      const sha256 = sha256Of({ ...row, detail });
      await tx.insert(auditLog).values({ ...row, sha256, detail: sql`${detail}::json` });
      return { ...row, sha256 };
    }),

  /** Newest first. */
  list: async ({ limit, cursor, ...filter }: AuditFilter & PageRequest): Promise<Page<AuditEntry>> => {
    const before = readCursor(cursor, ['integer']);
    const rows = await db
      .select()
      .from(auditLog)
      .where(and(matches(filter), before ? lt(auditLog.sequence, before[0]) : undefined))
      .orderBy(desc(auditLog.sequence))
      .limit(limit + 1);
    return toPage(rows, limit, (row) => [row.sequence]);
  },

  /** Oldest first, up to what is there now; never more than a thousand in memory. */
  read: async function* (filter: AuditFilter): AsyncGenerator<StoredEntry> {
    const { sequence } = await lastPoint(db);
    yield* storedRows(db, and(matches(filter), lte(auditLog.sequence, sequence)));
  },

  /** Recomputes the whole chain and looks for `expected` in it. Memory does not grow with the rows. */
  verify: async (expected: ChainPoint = START): Promise<ChainReport> => {
    let head = START;
    for await (const row of storedRows(db)) {
      const flaw = flawOf(row, head) ?? otherThan(expected, row);
      if (flaw) return { head, flaw };
      head = { sequence: row.sequence, sha256: row.sha256 };
    }
    const flaw = head.sequence < expected.sequence ? { sequence: head.sequence + 1, reason: 'missing' } : null;
    return { head, flaw };
  },
});

async function lastPoint(db: Pick<Database, 'select'>): Promise<ChainPoint> {
  const [last] = await db
    .select({ sequence: auditLog.sequence, sha256: auditLog.sha256 })
    .from(auditLog)
    .orderBy(desc(auditLog.sequence))
    .limit(1);
  return last ?? START;
}

async function* storedRows(db: Database, condition?: ReturnType<typeof and>): AsyncGenerator<StoredEntry> {
  let after: number | undefined;
  for (;;) {
    const rows: StoredEntry[] = await db
      .select(storedColumns)
      .from(auditLog)
      .where(and(condition, after === undefined ? undefined : gt(auditLog.sequence, after)))
      .orderBy(asc(auditLog.sequence))
      .limit(ROWS_PER_READ);
    yield* rows;
    if (rows.length < ROWS_PER_READ) return;
    after = rows.at(-1)!.sequence;
  }
}

const matches = ({ actor, action, object, since, until }: AuditFilter) =>
  and(
    actor === undefined ? undefined : eq(auditLog.actor, actor),
    action === undefined ? undefined : eq(auditLog.action, action),
    object === undefined ? undefined : sql`starts_with(${auditLog.object}, ${object})`,
    since && gte(auditLog.at, since),
    until && lt(auditLog.at, until),
  );

function flawOf(row: StoredEntry, before: ChainPoint): ChainReport['flaw'] {
  const { sequence } = row;
  if (sequence > before.sequence + 1) return { sequence: before.sequence + 1, reason: 'missing' };
  if (sequence <= before.sequence) return { sequence, reason: 'out of order: numbers begin at 1' };
  if (sha256Of(row) !== row.sha256) return { sequence, reason: 'changed: its hash is not that of its content' };
  if (row.previousSha256 === before.sha256) return null;
  return { sequence, reason: `out of order: it does not continue row ${before.sequence}, so one of the two is new` };
}

const otherThan = (expected: ChainPoint, { sequence, sha256 }: ChainPoint): ChainReport['flaw'] =>
  sequence === expected.sequence && sha256 !== expected.sha256
    ? { sequence, reason: 'changed: its hash is not the expected one, so the chain was written anew' }
    : null;

/** A list of JSON values has one reading: no two different rows have the same bytes. */
const sha256Of = (row: Omit<StoredEntry, 'sha256'>): string => {
  const { sequence, at, actor, action, object, status, address, requestId, detail, previousSha256 } = row;
  const fields = [sequence, at.getTime(), actor, action, object, status, address, requestId, detail, previousSha256];
  return createHash('sha256').update(JSON.stringify(fields)).digest('hex');
};

/** Postgres text holds neither NUL nor half a character, so the hash must not be of one either. */
const storable = (event: AuditEvent): AuditEvent => ({
  ...event,
  actor: plain(event.actor),
  action: plain(event.action),
  object: plain(event.object),
  address: event.address === null ? null : plain(event.address),
  requestId: plain(event.requestId),
});
const plain = (text: string) => text.replaceAll('\0', '\u{fffd}').toWellFormed();
