import { pino } from 'pino';
import { expect, test, vi } from 'vitest';
import type { WatchedEndpoint } from '../../db/endpoints.ts';
import { startEndpointWatcher } from '../../serving/endpoint-watcher.ts';
import { createRevisionReports } from '../../serving/revision-reports.ts';

const SOON = { timeout: 60_000 };

const CHURN: WatchedEndpoint = {
  name: 'churn',
  current: null,
  next: { revision: 1, runId: 'run-1', traceparent: null, model: {} as never },
};

/** A database in memory that can be away and forget its nodes. */
function setUp(pollMs = 5) {
  const database = {
    away: false,
    nodes: new Set<string>(),
    reports: [] as string[],
    polls: 0,
    listeners: [] as (() => void)[],
  };
  const ask = <T>(answer: () => T) =>
    database.away ? Promise.reject(new Error('connection refused')) : Promise.resolve().then(answer);
  const reports = createRevisionReports(({ endpoint, revision, state }) =>
    ask(() => void database.reports.push(`${endpoint} ${revision} ${state}`)),
  );
  const onState = vi.fn();
  const start = () =>
    startEndpointWatcher({
      node: 'a',
      repository: {
        registerNode: (node) => ask(() => void database.nodes.add(node)),
        heartbeatNode: (node) => ask(() => database.nodes.has(node)),
        removeNode: (node) => ask(() => void database.nodes.delete(node)),
        watchState: () => ask(() => (database.polls++, [CHURN])),
      },
      listen: (onChange) =>
        ask(() => {
          database.listeners.push(onChange);
          return { unlisten: () => Promise.resolve() };
        }),
      reports,
      onState,
      log: pino({ level: 'silent' }),
      heartbeatMs: 5,
      pollMs,
    });
  return { database, reports, onState, start };
}

test('a node is known while it runs, and hears of the endpoints', async () => {
  const { database, onState, start } = setUp();
  const watcher = start();
  await watcher.firstTry;
  expect(database.nodes).toEqual(new Set(['a']));
  expect(onState).toHaveBeenCalledWith([CHURN]);
  await watcher.stop();
  expect(database.nodes).toEqual(new Set());
});

test('a notification is heard at once, without waiting for the next poll', async () => {
  const { database, start } = setUp(1_000_000);
  const watcher = start();
  await expect.poll(() => database.listeners.length, SOON).toBe(1);
  await watcher.firstTry;
  for (const listener of database.listeners) listener();
  await expect.poll(() => database.polls, SOON).toBe(2);
  await watcher.stop();
});

test('while the database is away it goes on trying; then it listens again and sends what was held back', async () => {
  const { database, reports, start } = setUp();
  const watcher = start();
  await expect.poll(() => watcher.reachable(), SOON).toBe(true);
  database.away = true;
  await expect.poll(() => watcher.reachable(), SOON).toBe(false);
  reports.add('churn', 1, 'loading', null);
  reports.add('churn', 1, 'ready', null);
  await expect(reports.flush()).rejects.toThrow('connection refused');
  database.away = false;
  await expect.poll(() => database.reports, SOON).toEqual(['churn 1 ready']);
  expect(database.listeners.length).toBe(2);
  await watcher.stop();
});

test('a database that forgot the node is told everything again', async () => {
  const { database, reports, start } = setUp();
  const watcher = start();
  await watcher.firstTry;
  reports.add('churn', 1, 'ready', null);
  await expect.poll(() => database.reports, SOON).toEqual(['churn 1 ready']);
  database.nodes.clear();
  database.reports = [];
  await expect.poll(() => database.reports, SOON).toEqual(['churn 1 ready']);
  expect(database.nodes).toEqual(new Set(['a']));
  await watcher.stop();
});

test('reports on revisions that nobody waits for are dropped', async () => {
  const { database, reports } = setUp();
  reports.add('churn', 1, 'ready', null);
  reports.add('churn', 0, 'serving', null);
  reports.keepOnly([CHURN]);
  await reports.flush();
  expect(database.reports).toEqual(['churn 1 ready']);
});

test('stopping without the database does not fail', async () => {
  const { database, start } = setUp();
  database.away = true;
  const watcher = start();
  await watcher.firstTry;
  expect(watcher.reachable()).toBe(false);
  await watcher.stop();
});
