import { expect, test, vi } from 'vitest';
import type { WatchedEndpoint, WatchedRevision } from '../../db/endpoints.ts';
import { createEndpointReconciler } from '../../serving/endpoint-reconciler.ts';
import type { LoadedModel } from '../../serving/loaded-model.ts';
import type { ServedSlot } from '../../serving/served-slot.ts';
import { createModelSlots } from '../../serving/model-slots.ts';
import { exampleLoaded } from './doubles.ts';
import { servedModel } from './example-models.ts';
import { recordSpans } from '../recorded-spans.ts';

const SOON = { timeout: 60_000 };

const spans = recordSpans();

/** A reconciler over loads that the test decides; revision and model version have the same number. */
function setUp({ retryAfterMs = 0 } = {}) {
  const slots = createModelSlots<ServedSlot>((error) => expect.unreachable(String(error)));
  const reports: string[] = [];
  const released: number[] = [];
  const failing = new Map<number, string>();
  const held = new Map<number, Promise<void>>();
  const load = vi.fn(async (model: { version: number }): Promise<LoadedModel> => {
    await held.get(model.version);
    const reason = failing.get(model.version);
    if (reason !== undefined) throw new Error(reason);
    const release = () => {
      released.push(model.version);
      return Promise.resolve();
    };
    const served = servedModel(model.version, { onnxSha256: String(model.version) });
    return exampleLoaded(model.version, { model: served, release });
  });
  const reconciler = createEndpointReconciler({
    slots,
    load,
    retryAfterMs,
    onReleaseError: (error) => expect.unreachable(String(error)),
    report: (endpoint, revision, state, detail) =>
      void reports.push([endpoint, revision, state, ...(detail ? [detail] : [])].join(' ')),
  });
  const update = async (current: number | null, next: number | null = null, name = 'churn') => {
    reconciler.update([watched(name, current, next)]);
    await reconciler.settled();
  };
  const serving = (name = 'churn') => slots.get(name)?.revision ?? null;
  return { slots, reports, released, failing, held, load, reconciler, update, serving };
}

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const revision = (number: number | null): WatchedRevision | null =>
  number === null
    ? null
    : {
        revision: number,
        runId: `run-${number}`,
        traceparent: `00-${TRACE}-b7ad6b7169203331-01`,
        model: servedModel(number, { onnxSha256: String(number) }),
      };
const watched = (name: string, current: number | null, next: number | null): WatchedEndpoint => ({
  name,
  current: revision(current),
  next: revision(next),
});

test('a prepared revision is loaded beside the current one, and swapped in without loading it again', async () => {
  const { update, serving, reports, released, load } = setUp();
  await update(1, 2);
  expect(serving()).toBe(1);
  await update(2);
  expect(serving()).toBe(2);
  expect(load).toHaveBeenCalledTimes(2);
  expect(reports).toEqual([
    'churn 1 loading',
    'churn 1 serving',
    'churn 2 loading',
    'churn 2 ready',
    'churn 2 serving',
  ]);
  expect(released).toEqual([1]);
});

test('a prepared revision that does not load is reported once and leaves the current one', async () => {
  const { update, serving, reports, failing } = setUp();
  failing.set(2, 'golden row 0');
  await update(1, 2);
  await update(1, 2);
  expect(serving()).toBe(1);
  expect(reports.filter((report) => report.startsWith('churn 2'))).toEqual([
    'churn 2 loading',
    'churn 2 failed golden row 0',
  ]);
});

test('a prepared revision that is given up, or replaced by a newer one, is released', async () => {
  const { update, serving, released } = setUp();
  await update(1, 2);
  await update(1, 3);
  expect(released).toEqual([2]);
  await update(1);
  expect(released).toEqual([2, 3]);
  expect(serving()).toBe(1);
});

test('a current revision that does not load is tried again', async () => {
  const { update, serving, failing } = setUp();
  failing.set(2, 'the store is away');
  await update(1);
  await update(2);
  expect(serving()).toBe(1);
  failing.clear();
  await update(2);
  expect(serving()).toBe(2);
});

test('but not at once', async () => {
  const { update, load, failing } = setUp({ retryAfterMs: 60_000 });
  failing.set(1, 'the store is away');
  await update(1);
  await update(1);
  expect(load).toHaveBeenCalledTimes(1);
});

test('the same revision number with another file, as after a new database, is loaded', async () => {
  const { update, slots, reconciler } = setUp();
  await update(1);
  const other = watched('churn', 2, null);
  reconciler.update([{ ...other, current: { ...other.current!, revision: 1 } }]);
  await reconciler.settled();
  expect(slots.get('churn')).toMatchObject({ revision: 1, model: { version: 2 } });
});

test('an endpoint that loads slowly holds up no other, and then goes straight to what is wanted by then', async () => {
  const { reconciler, held, serving, load } = setUp();
  let arrive = () => {};
  held.set(7, new Promise((resolve) => (arrive = resolve)));
  reconciler.update([watched('slow', 7, null), watched('churn', 1, null)]);
  await expect.poll(() => serving(), SOON).toBe(1);
  expect(serving('slow')).toBeNull();
  reconciler.update([watched('slow', 8, null)]);
  reconciler.update([watched('slow', 9, null)]);
  arrive();
  await reconciler.settled();
  expect(serving('slow')).toBe(9);
  expect(load.mock.calls.map(([{ version }]) => version)).toEqual([7, 1, 9]);
});

test('closing releases what was only prepared', async () => {
  const { update, reconciler, released } = setUp();
  await update(1, 2);
  await reconciler.close();
  expect(released).toEqual([2]);
});

test("loading and swapping join the deployment's trace", async () => {
  const { update, failing } = setUp();
  failing.set(3, 'no');
  await update(1, 2);
  await update(2, 3);
  const seen = spans.getFinishedSpans();
  expect(seen.map((span) => `${span.name} ${String(span.attributes['anneal.revision'])}`)).toEqual([
    'serving.load 1',
    'serving.swap 1',
    'serving.load 2',
    'serving.swap 2',
    'serving.load 3',
  ]);
  for (const span of seen) {
    expect(span.spanContext().traceId).toBe(TRACE);
    expect(span.parentSpanContext?.spanId).toBe('b7ad6b7169203331');
  }
  expect(seen.at(-1)!.events[0]!.name).toBe('exception');
});
