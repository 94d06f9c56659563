import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { sql } from 'drizzle-orm';
import { connect, type Connection } from '../../db/connect.ts';
import { createDriftReportRepository } from '../../db/drift-reports.ts';
import { createDriftWindowRepository } from '../../db/drift-windows.ts';
import { migrate } from '../../db/migrate.ts';
import { driftReports, driftWindows } from '../../db/schema/drift.ts';
import type { EmbeddedPostgres } from '../../lib/embedded-postgres.ts';
import { reportedWindow } from '../api/example-reports.ts';
import { startTestPostgres } from '../platform.ts';

let database: EmbeddedPostgres;
let connection: Connection;
let reports: ReturnType<typeof createDriftReportRepository>;
beforeAll(async () => {
  database = await startTestPostgres();
  await migrate(database.url);
  connection = connect(database.url);
  reports = createDriftReportRepository(connection.db);
});
afterAll(async () => {
  await connection?.close();
  await database?.stop();
});
beforeEach(() => connection.db.execute(sql`truncate drift_windows cascade`));

const day = (number: number) => new Date(Date.UTC(2026, 0, number));

/** A window that was closed, and whose report was computed, on that day of January. */
async function add(endpoint: string, sequence: number, closed: number, changes: { drifted?: boolean } = {}) {
  const { window, report } = reportedWindow(sequence);
  const [afterPosition, untilPosition] = [1000 * sequence, 1000 * sequence + 1000];
  await connection.db
    .insert(driftWindows)
    .values({ ...window, endpoint, afterPosition, untilPosition, closedAt: day(closed), finishedAt: day(closed) });
  await connection.db.insert(driftReports).values({ ...report, endpoint, computedAt: day(closed), ...changes });
}
const namesOf = ({ items }: Awaited<ReturnType<typeof reports.list>>) =>
  items.map(({ window }) => `${window.endpoint}/${window.sequence}`);

test('pages of reports, of windows closed at the same time too, hold each once, the newest first', async () => {
  for (const sequence of [1, 2, 3]) for (const endpoint of ['churn', 'loans']) await add(endpoint, sequence, sequence);
  await add('alpha', 1, 2);
  await add('churn', 4, 2);
  const found: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await reports.list({ limit: 3, cursor });
    found.push(...namesOf(page));
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  const expected = ['churn/3', 'loans/3', 'alpha/1', 'churn/4', 'churn/2', 'loans/2', 'churn/1', 'loans/1'];
  expect(found).toEqual(expected);
});

test('reports are filtered by endpoint, verdict and the time when the window was closed', async () => {
  await add('churn', 1, 1, { drifted: false });
  await add('churn', 2, 2);
  await add('churn', 3, 3);
  await add('loans', 1, 2);
  const listed = async (filter: object) => namesOf(await reports.list({ limit: 10, ...filter }));
  expect(await listed({ endpoint: 'churn', drifted: true })).toEqual(['churn/3', 'churn/2']);
  expect(await listed({ drifted: false })).toEqual(['churn/1']);
  expect(await listed({ since: day(2), until: day(3) })).toEqual(['churn/2', 'loans/1']);
  expect(await listed({ model: 'loans', version: 3 })).toEqual([]);
});

test('old reports go, once; their windows stay finished, and the next begins where they ended', async () => {
  await add('churn', 1, 1);
  await add('churn', 2, 10);
  expect(await reports.removeBefore(day(10))).toBe(1);
  expect(await reports.removeBefore(day(10))).toBe(0);
  await expect(reports.get('churn', 1)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  expect(namesOf(await reports.list({ limit: 10 }))).toEqual(['churn/2']);
  const windows = createDriftWindowRepository(connection);
  expect(await windows.get('churn', 1)).toMatchObject({ untilPosition: 2000 });
  expect(await windows.unfinished('churn', 0)).toBeNull();
});
