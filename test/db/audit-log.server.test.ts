import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type AuditEvent, type AuditLog, createAuditLog } from '../../db/audit-log.ts';
import { connect, type Connection } from '../../db/connect.ts';
import { migrate } from '../../db/migrate.ts';
import type { EmbeddedPostgres } from '../../lib/embedded-postgres.ts';
import { startTestPostgres } from '../platform.ts';

let database: EmbeddedPostgres;
let connection: Connection;
let audit: AuditLog;
beforeAll(async () => {
  database = await startTestPostgres();
  await migrate(database.url);
  connection = connect(database.url);
  audit = createAuditLog(connection.db);
});
afterAll(async () => {
  await connection?.close();
  await database?.stop();
});
beforeEach(() => asOwner('truncate audit_log'));

/** What someone who may change the table's triggers can do. */
async function asOwner(statement: string): Promise<void> {
  await connection.db.transaction(async (tx) => {
    await tx.execute(sql`alter table audit_log disable trigger audit_log_append_only`);
    await tx.execute(sql.raw(statement));
    await tx.execute(sql`alter table audit_log enable trigger audit_log_append_only`);
  });
}
const event = (change: Partial<AuditEvent> = {}): AuditEvent => ({
  ...{ actor: 'ada', action: 'putPipeline', object: 'pipelines/churn', status: 201 },
  ...{ address: '203.0.113.9', requestId: 'r1', detail: { version: 3 } },
  ...change,
});
async function append(count: number) {
  for (let i = 1; i <= count; i++) await audit.append(event({ requestId: `r${i}` }));
}

test('a chain under 50 concurrent appends has no gap and holds', async () => {
  const other = connect(database.url);
  try {
    const logs = [audit, createAuditLog(other.db)];
    const rows = await Promise.all(Array.from({ length: 50 }, (_, i) => logs[i % 2]!.append(event())));
    expect(rows.map(({ sequence }) => sequence).sort((a, b) => a - b)).toEqual(rows.map((_, i) => i + 1));
    const { sequence, sha256 } = rows.find((row) => row.sequence === 50)!;
    expect(await audit.verify()).toEqual({ head: { sequence, sha256 }, flaw: null });
    const { items } = await audit.list({ limit: 50 });
    expect(items.map(({ at }) => at.getTime())).toEqual(items.map(({ at }) => at.getTime()).sort((a, b) => b - a));
  } finally {
    await other.close();
  }
});

test('an empty log is sound', async () => {
  expect(await audit.verify()).toEqual({ head: { sequence: 0, sha256: '0'.repeat(64) }, flaw: null });
});

test.each(["update audit_log set actor = 'eve'", 'delete from audit_log', 'truncate audit_log'])(
  'the table refuses: %s',
  async (statement) => {
    await append(1);
    await expect(connection.db.execute(sql.raw(statement))).rejects.toMatchObject({
      cause: { message: 'audit_log is append-only' },
    });
    expect((await audit.verify()).head.sequence).toBe(1);
  },
);

test.each([
  ["update audit_log set actor = 'eve' where sequence = 3", 3, 'changed'],
  ["update audit_log set at = at + interval '1 ms' where sequence = 3", 3, 'changed'],
  ["update audit_log set at = 'infinity' where sequence = 3", 3, 'changed'],
  ['update audit_log set status = null where sequence = 3', 3, 'changed'],
  [`update audit_log set detail = '{"version":4}' where sequence = 3`, 3, 'changed'],
  [`update audit_log set detail = '{"version":4,"version":3}' where sequence = 3`, 3, 'changed'],
  ["update audit_log set actor = 'adap', action = 'utPipeline' where sequence = 3", 3, 'changed'],
  ['update audit_log set sequence = -1 where sequence = 3', -1, 'out of order'],
  ['update audit_log set sequence = 0 where sequence = 1', 0, 'out of order'],
  ['delete from audit_log where sequence = 3', 3, 'missing'],
  ['delete from audit_log where sequence < 3', 1, 'missing'],
  ['update audit_log set sequence = 9 where sequence = 5', 5, 'missing'],
])('%s is found in row %i', async (statement, sequence, reason) => {
  await append(5);
  await asOwner(statement);
  expect((await audit.verify()).flaw).toEqual({ sequence, reason: expect.stringContaining(reason) as string });
});

test('a row that was slipped in with a hash of its own does not carry the rows after it', async () => {
  await append(2);
  const [, second] = (await audit.list({ limit: 9 })).items.reverse();
  await asOwner('delete from audit_log where sequence = 2');
  await audit.append(event({ actor: 'eve' }));
  await append(1);
  expect((await audit.verify()).flaw).toBeNull();
  expect((await audit.verify(second)).flaw).toMatchObject({ sequence: 2 });
  await asOwner(`delete from audit_log where sequence = 3`);
  await asOwner(
    `insert into audit_log select 3, at, actor, action, object, status, address, request_id, detail,
      '${'0'.repeat(64)}', sha256 from audit_log where sequence = 2`,
  );
  expect((await audit.verify()).flaw).toMatchObject({ sequence: 3 });
});

test('a cut-off tail is found by whoever kept the number and hash of a later row', async () => {
  await append(5);
  const { head } = await audit.verify();
  expect((await audit.verify(head)).flaw).toBeNull();
  await append(2);
  expect((await audit.verify(head)).flaw).toBeNull();
  await asOwner('delete from audit_log where sequence > 3');
  expect((await audit.verify()).flaw).toBeNull();
  expect((await audit.verify(head)).flaw).toEqual({ sequence: 4, reason: 'missing' });
});

test('rows of a transaction that is rolled back leave neither row nor gap', async () => {
  await append(1);
  const failing = connection.db.transaction(async (tx) => {
    await createAuditLog(tx).append(event());
    throw new Error('the rest failed');
  });
  await expect(failing).rejects.toThrow('the rest failed');
  await connection.db.transaction(async (tx) => void (await createAuditLog(tx).append(event())));
  expect(await audit.verify()).toMatchObject({ head: { sequence: 2 }, flaw: null });
});

test('whatever text comes, the stored row has the hash that was made for it', async () => {
  const strange = 'a\0b \ud800 = "\\" \u2028 ü \n';
  const nested = { text: strange, number: 0.1, big: 1e300, list: [null, true, { z: 1, a: 2 }] };
  const texts = { actor: strange, action: strange, object: strange, address: strange, requestId: strange };
  await audit.append(event({ ...texts, detail: nested }));
  await audit.append(event({ address: null, status: null, detail: {} }));
  expect(await audit.verify()).toMatchObject({ head: { sequence: 2 }, flaw: null });
  const { items } = await audit.list({ limit: 1, actor: strange.replace('\0', '\ufffd').toWellFormed() });
  expect(items).toMatchObject([{ sequence: 1, detail: nested }]);
});

test('the list is newest first, in pages, and filters', async () => {
  await append(4);
  await audit.append(event({ actor: 'bob', action: 'cancelRun', object: 'runs/50%_x' }));
  const sequences = async (filter: Partial<Parameters<AuditLog['list']>[0]>) =>
    (await audit.list({ limit: 10, ...filter })).items.map(({ sequence }) => sequence);
  expect(await sequences({})).toEqual([5, 4, 3, 2, 1]);
  const first = await audit.list({ limit: 2 });
  expect(await sequences({ limit: 2, cursor: first.nextCursor! })).toEqual([3, 2]);
  expect(await sequences({ actor: 'bob' })).toEqual([5]);
  expect(await sequences({ action: 'putPipeline' })).toEqual([4, 3, 2, 1]);
  expect(await sequences({ object: 'runs/50%_' })).toEqual([5]);
  expect(await sequences({ object: 'runs/5%' })).toEqual([]);
  const { at } = (await audit.list({ limit: 1 })).items[0]!;
  expect(await sequences({ since: at })).toContain(5);
  expect(await sequences({ until: at })).not.toContain(5);
});

test('reading gives all rows oldest first, but none that came after it began', async () => {
  await asOwner(`insert into audit_log select n, now(), 'ada', 'a', 'o', 200, null, 'r', '{}', '', '' 
    from generate_series(1, 2500) n`);
  const read: number[] = [];
  for await (const { sequence } of audit.read({})) {
    if (read.length === 0) await append(1);
    read.push(sequence);
  }
  expect(read).toEqual(Array.from({ length: 2500 }, (_, i) => i + 1));
});
