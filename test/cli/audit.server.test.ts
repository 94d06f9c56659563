import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAuditLog } from '../../db/audit-log.ts';
import { connect, type Connection } from '../../db/connect.ts';
import { migrate } from '../../db/migrate.ts';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../lib/embedded-postgres.ts';
import { temporaryFolder, type TemporaryFolder } from '../platform.ts';

const CLI = join(import.meta.dirname, '..', '..', 'cli', 'anneal.ts');
let home: TemporaryFolder;
let database: EmbeddedPostgres;
let connection: Connection;
beforeAll(async () => {
  home = await temporaryFolder('audit');
  database = await startEmbeddedPostgres({ dataDir: join(home.path, 'postgres'), port: 0, durable: false });
  await migrate(database.url);
  connection = connect(database.url);
  for (let i = 1; i <= 4; i++) {
    const event = { actor: 'ada', action: 'putPipeline', object: 'pipelines/churn', status: 200, address: null };
    await createAuditLog(connection.db).append({ ...event, requestId: `r${i}`, detail: {} });
  }
});
afterAll(async () => {
  await connection?.close();
  await database?.stop();
  await home?.remove();
});

/** `anneal audit …` as a command, with the exit code it ends with. */
const audit = (args: readonly string[], env: Record<string, string> = {}) =>
  new Promise<{ code: number; out: string; err: string }>((resolve) => {
    const { PATH = '' } = process.env;
    const options = { env: { PATH, ANNEAL_HOME: home.path, ...env } };
    execFile(process.execPath, ['--no-warnings', CLI, 'audit', ...args], options, (error, out, err) =>
      resolve({ code: error ? Number(error.code) : 0, out, err }),
    );
  });
const headOf = (out: string) => /^head (\d+:[0-9a-f]{64})$/m.exec(out)![1]!;
const asOwner = async (statement: string) => {
  await connection.db.execute(sql`alter table audit_log disable trigger audit_log_append_only`);
  await connection.db.execute(sql.raw(statement));
};

test('a sound log is said to be so, by the running database of this home or the one that is named', async () => {
  const found = await audit(['verify']);
  expect(found).toMatchObject({ code: 0, err: '', out: expect.stringContaining('4 rows') as string });
  const named = await audit(['verify', '--expect', headOf(found.out)], { DATABASE_URL: database.url });
  expect(named).toMatchObject({ code: 0, out: expect.stringContaining('row 4 as expected') as string });
});

test('a row that was cut off or changed ends the command with 1, named', async () => {
  const { out } = await audit(['verify']);
  await asOwner('delete from audit_log where sequence = 4');
  expect((await audit(['verify'])).code).toBe(0);
  const cut = await audit(['verify', '--expect', headOf(out)]);
  expect(cut).toMatchObject({ code: 1, out: '', err: expect.stringContaining('row 4 is missing') as string });
  await asOwner("update audit_log set actor = 'eve' where sequence = 2");
  const changed = await audit(['verify']);
  expect(changed).toMatchObject({ code: 1, out: '', err: expect.stringContaining('row 2 is changed') as string });
});
