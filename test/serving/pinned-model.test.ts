import { expect, test, vi } from 'vitest';
import type { ServedModel } from '../../db/endpoints.ts';
import type { ServedSlot } from '../../serving/served-slot.ts';
import { createModelSlots } from '../../serving/model-slots.ts';
import { createPinnedModel, PINNED_SLOT } from '../../serving/pinned-model.ts';
import { exampleLoaded } from './doubles.ts';
import { servedModel } from './example-models.ts';

function setUp(uri: string, retryAfterMs = 0) {
  const slots = createModelSlots<ServedSlot>((error) => expect.unreachable(String(error)));
  const resolve = vi.fn(() => Promise.resolve(servedModel(1)));
  const onError = vi.fn();
  const load = vi.fn((model: ServedModel) => Promise.resolve(exampleLoaded(model.version, { model })));
  const pinned = createPinnedModel({ uri, resolve, load, slots, onError, retryAfterMs });
  return { pinned, resolve, load, onError, serving: () => slots.get(PINNED_SLOT)?.model.version };
}

test('a version is resolved and loaded once', async () => {
  const { pinned, resolve, load, serving } = setUp('models:/churn/1');
  await pinned.refresh();
  await pinned.refresh();
  expect([serving(), resolve.mock.calls.length, load.mock.calls.length]).toEqual([1, 1, 1]);
});

test('an alias is followed, and loaded only when it moves', async () => {
  const { pinned, resolve, load, serving } = setUp('models:/churn@challenger');
  await pinned.refresh();
  await pinned.refresh();
  expect([serving(), load.mock.calls.length]).toEqual([1, 1]);
  resolve.mockResolvedValue(servedModel(2));
  await pinned.refresh();
  expect(serving()).toBe(2);
});

test('what does not load leaves the old one serving, and is not tried at every turn', async () => {
  const { pinned, resolve, load, onError, serving } = setUp('models:/churn@challenger', 60_000);
  await pinned.refresh();
  resolve.mockResolvedValue(servedModel(2));
  load.mockRejectedValue(new Error('truncated'));
  await pinned.refresh();
  await pinned.refresh();
  expect([serving(), onError.mock.calls.length, load.mock.calls.length]).toEqual([1, 1, 2]);
});

test('without the database it loads what the URI named before', async () => {
  const { pinned, resolve, serving } = setUp('models:/churn/3');
  resolve.mockRejectedValue(new Error('connection refused'));
  await pinned.refresh(servedModel(3));
  expect(serving()).toBe(3);
});
