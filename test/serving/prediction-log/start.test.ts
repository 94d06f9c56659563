import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { PlatformError } from '../../../lib/errors.ts';
import { noPredictionLog, startPredictionLog, type PredictionLogDeps } from '../../../serving/prediction-log/start.ts';
import { openSpoolWriter } from '../../../serving/prediction-log/spool-writer.ts';
import { segmentsIn, temporarySpool } from './spools.ts';

async function createLog(changes: Partial<PredictionLogDeps> = {}) {
  const { folder, settings } = await temporarySpool();
  const table: string[] = [];
  let isAway = false;
  const insert = vi.fn((lines: string) => {
    if (isAway) return Promise.reject(new PlatformError('UNAVAILABLE', 'no connection'));
    table.push(...lines.trimEnd().split('\n'));
    return Promise.resolve();
  });
  const log = { info: vi.fn(), warn: vi.fn(), error: vi.fn() };
  const start = (orphans: string[] = []) => startPredictionLog({ ...settings, insert, log, orphans, ...changes });
  return { folder, table, insert, log, start, away: (away: boolean) => void (isAway = away) };
}
const SOON = { timeout: 60_000 };

test('what is committed appears in the table by itself, from all threads, and the rest when it stops', async () => {
  const { start, table } = await createLog();
  const running = start();
  await running.log.commit('1\n');
  await vi.waitFor(() => expect(table).toEqual(['1']), SOON);
  const other = openSpoolWriter(running.spool!, { name: 'bulk', onError: vi.fn() });
  other.append(Buffer.from('2\n'));
  await vi.waitFor(() => expect(table).toEqual(['1', '2']), SOON);
  await vi.waitFor(() => expect(running.state()).toMatchObject({ pendingBytes: 0, oldestAgeSeconds: 0 }), SOON);
  other.append(Buffer.from('3\n'));
  await running.log.commit('4\n');
  await other.close();
  await running.stop();
  expect(table.sort()).toEqual(['1', '2', '3', '4']);
  expect(running.state()).toMatchObject({ shipped: 4, rejected: 0, dropped: 0, refused: 0, pendingBytes: 0 });
});

test('while the table is away the spool grows to its bound, says how old it is, and is shipped afterwards', async () => {
  const { start, table, away, log, insert } = await createLog({ maxBytes: 8 });
  away(true);
  const running = start();
  await running.log.commit('1234\n');
  await vi.waitFor(() => expect(insert).toHaveBeenCalled(), SOON);
  await expect(running.log.commit('5678\n')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await delay(300);
  expect(running.state()).toMatchObject({ pendingBytes: 5, refused: 1 });
  expect(running.state().oldestAgeSeconds).toBeGreaterThan(0.25);
  expect(log.warn).toHaveBeenCalledTimes(1);
  away(false);
  await vi.waitFor(() => expect(table).toEqual(['1234']), SOON);
  await vi.waitFor(() => expect(log.info).toHaveBeenCalledTimes(1), SOON);
  expect(log.warn).toHaveBeenCalledTimes(1);
  await running.stop();
});

test('what a process could not ship is shipped by the next one on its folder, or by one that is given it', async () => {
  const { folder, start, table, away } = await createLog();
  away(true);
  const first = start();
  await first.log.commit('1\n');
  await first.stop();
  expect(segmentsIn(folder)).toHaveLength(1);
  expect(table).toEqual([]);
  away(false);
  const second = start();
  await vi.waitFor(() => expect(table).toEqual(['1']), SOON);
  await second.log.commit('2\n');
  await second.stop();
  const elsewhere = await createLog();
  const third = elsewhere.start([folder, `${folder}-never-there`]);
  await third.log.commit('3\n');
  await third.stop();
  expect(table.concat(elsewhere.table)).toEqual(['1', '2', '3']);
});

test('a table that does not answer holds up no stop for longer than 4 s', async () => {
  const answer = Promise.withResolvers<void>();
  onTestFinished(() => answer.resolve()); // a segment is open until then
  const insert = vi.fn(() => answer.promise);
  const { start } = await createLog({ insert });
  const running = start();
  await running.log.commit('1\n');
  await vi.waitFor(() => expect(insert).toHaveBeenCalled(), SOON);
  const started = performance.now();
  await running.stop();
  expect(performance.now() - started).toBeLessThan(20_000);
});

test('a log that is off takes everything and keeps nothing', async () => {
  await noPredictionLog.log.commit('1\n');
  expect(noPredictionLog.state()).toMatchObject({ pendingBytes: 0, shipped: 0 });
  await noPredictionLog.stop();
});
