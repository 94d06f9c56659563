import { execFile, type ExecFileException } from 'node:child_process';
import { join } from 'node:path';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startEmbeddedPostgres } from '../../lib/embedded-postgres.ts';
import { connectTemporal } from '../../lib/temporal-connection.ts';
import { findTemporal, startTemporalServer, type TemporalServer } from '../../lib/temporal-server.ts';
import { SEARCH_ATTRIBUTES } from '../../workflows/messages.ts';
import { temporaryFolder, type TemporaryFolder } from '../platform.ts';

const MIGRATE = join(import.meta.dirname, '..', '..', 'deploy', 'migrate.ts');

let folder: TemporaryFolder;
let temporal: TemporalServer;
beforeAll(async () => {
  folder = await temporaryFolder('migrate');
  const dataFile = join(folder.path, 'temporal.db');
  temporal = await startTemporalServer({ program: await findTemporal(), dataFile, port: 0, uiPort: 0 });
});
afterAll(async () => {
  await temporal?.stop();
  await folder?.remove();
});

/** `notYet` is called when it says that something is not there yet. */
const migrate = (databaseUrl: string, notYet = () => {}) =>
  new Promise<{ status: unknown; log: string }>((resolve) => {
    const env = { PATH: process.env.PATH, DATABASE_URL: databaseUrl, TEMPORAL_ADDRESS: temporal.address };
    const done = (error: ExecFileException | null, log: string) => resolve({ status: error?.code ?? 0, log });
    const { stdout } = execFile(process.execPath, [MIGRATE], { env }, done);
    stdout!.on('data', (text: string) => text.includes('not yet') && notYet());
  });

test('a server that starts later is waited for; then tables and search attributes are there, and once more harms nothing', async () => {
  const place = { dataDir: join(folder.path, 'postgres'), durable: false };
  const first = await startEmbeddedPostgres({ ...place, port: 0 });
  await first.stop();
  const tried = Promise.withResolvers<void>();
  const migrating = migrate(first.url, tried.resolve);
  await Promise.race([tried.promise, migrating]);
  const { url, stop } = await startEmbeddedPostgres({ ...place, port: first.port });
  try {
    const { status, log } = await migrating;
    expect(status, log).toBe(0);
    expect(log).toContain('tables: not yet');
    const sql = postgres(url, { max: 1 });
    const tables = await sql`select table_name from information_schema.tables where table_schema = 'public'`;
    await sql.end();
    expect(tables.map(({ table_name: name }) => name as string)).toContain('model_versions');
    const { connection } = await connectTemporal({ address: temporal.address, namespace: 'default' });
    const known = await connection.operatorService.listSearchAttributes({ namespace: 'default' });
    await connection.close();
    expect(Object.keys(known.customAttributes)).toEqual(expect.arrayContaining(Object.values(SEARCH_ATTRIBUTES)));
    expect(await migrate(url)).toMatchObject({ status: 0 });

    const wrong = new URL(url);
    wrong.password = 'not-the-password';
    const refused = await migrate(wrong.href);
    expect(refused.status).toBe(1);
    expect(refused.log).not.toContain('not yet');
    expect(refused.log).not.toContain(wrong.password);
  } finally {
    await stop();
  }
});
