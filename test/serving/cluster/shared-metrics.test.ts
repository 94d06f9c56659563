import { Counter, Gauge, Registry } from 'prom-client';
import { expect, test } from 'vitest';
import type { Snapshot } from '../../../lib/exposition.ts';
import { createSharedMetrics, sumOf } from '../../../serving/cluster/shared-metrics.ts';

const PATIENCE_MS = 20;

/** A process that has answered so many requests and holds so many rows. */
function processWith(requests: number, rows: number) {
  const registry = new Registry();
  new Counter({ name: 'requests_total', help: 'r', registers: [registry] }).inc(requests);
  new Gauge({ name: 'rows', help: 'r', registers: [registry] }).set(rows);
  return registry;
}
/** As it comes from another process: a copy. */
const snapshotOf = async (registry: Registry): Promise<Snapshot> => structuredClone(await registry.getMetricsAsJSON());

async function totals(shared: ReturnType<typeof createSharedMetrics>) {
  const metrics = await sumOf(await shared.collect());
  const valuesOf = (name: string) => metrics.find((metric) => metric.name === name)?.values ?? [];
  return {
    requests: valuesOf('requests_total').reduce((sum, { value }) => sum + value, 0),
    rows: Object.fromEntries(valuesOf('rows').map(({ labels, value }) => [String(labels.process), value])),
  };
}

/** A member that answers each round with what its registry holds then. */
function join(shared: ReturnType<typeof createSharedMetrics>, name: string, registry: Registry) {
  const ask = (round: number) => void snapshotOf(registry).then((now) => shared.receive(ask, name, round, now));
  shared.add(ask);
  return ask;
}

test('what counts is summed over the processes, and a state says whose it is', async () => {
  const shared = createSharedMetrics(processWith(1, 10), PATIENCE_MS);
  join(shared, '0', processWith(20, 5));
  join(shared, '1', processWith(300, 6));
  expect(await totals(shared)).toEqual({ requests: 321, rows: { primary: 10, 0: 5, 1: 6 } });
});

test('what a process that has ended had counted stays counted, and its states go', async () => {
  const shared = createSharedMetrics(processWith(1, 10), PATIENCE_MS);
  const ended = join(shared, '0', processWith(20, 5));
  await totals(shared);
  shared.remove(ended);
  expect(await totals(shared)).toEqual({ requests: 21, rows: { primary: 10 } });
  join(shared, '0', processWith(4, 7));
  expect(await totals(shared)).toEqual({ requests: 25, rows: { primary: 10, 0: 7 } });
});

test('of a process that does not answer the last known metrics are taken', async () => {
  const shared = createSharedMetrics(processWith(1, 10), PATIENCE_MS);
  const registry = processWith(20, 5);
  let hangs = false;
  const ask = (round: number) =>
    void (hangs || snapshotOf(registry).then((now) => shared.receive(ask, '0', round, now)));
  shared.add(ask);
  await totals(shared);
  hangs = true;
  (registry.getSingleMetric('requests_total') as Counter).inc(5);
  expect(await totals(shared)).toMatchObject({ requests: 21 });
  hangs = false;
  expect(await totals(shared)).toMatchObject({ requests: 26 });
});

test('one that never answered, or whose answer comes after its end, counts for nothing', async () => {
  const shared = createSharedMetrics(processWith(1, 10), PATIENCE_MS);
  const silent = () => undefined;
  shared.add(silent);
  expect(await totals(shared)).toMatchObject({ requests: 1 });
  shared.remove(silent);
  shared.receive(silent, '0', 1, await snapshotOf(processWith(20, 5)));
  expect(await totals(shared)).toEqual({ requests: 1, rows: { primary: 10 } });
});

test('two who ask at once get one answer', async () => {
  const shared = createSharedMetrics(processWith(1, 10), PATIENCE_MS);
  let asked = 0;
  const registry = processWith(20, 5);
  const ask = (round: number) => {
    asked++;
    void snapshotOf(registry).then((now) => shared.receive(ask, '0', round, now));
  };
  shared.add(ask);
  await Promise.all([shared.collect(), shared.collect()]);
  expect(asked).toBe(1);
});
