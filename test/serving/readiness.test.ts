import { expect, test } from 'vitest';
import type { WatchedEndpoint } from '../../db/endpoints.ts';
import { createModelSlots } from '../../serving/model-slots.ts';
import { readinessOf } from '../../serving/readiness.ts';
import type { ServedSlot } from '../../serving/served-slot.ts';
import { exampleSlot } from './doubles.ts';

const endpoint = (name: string, current: unknown = { revision: 1 }) => ({ name, current }) as WatchedEndpoint;
const loaded = (...names: string[]) => {
  const slots = createModelSlots<ServedSlot>(() => undefined);
  for (const name of names) slots.swap(name, exampleSlot(name, 1));
  return slots;
};

test.each([
  ['nothing is to be served', [], loaded(), null, 'no endpoint has a model yet'],
  ['an endpoint has no revision', [endpoint('a', null)], loaded(), null, 'no endpoint has a model yet'],
  ['one of two is loaded', [endpoint('a'), endpoint('b')], loaded('a'), null, 'no model is loaded for endpoint b'],
  ['none is loaded', [endpoint('a'), endpoint('b')], loaded(), null, 'no model is loaded for endpoint a, b'],
  ['all are loaded', [endpoint('a'), endpoint('b', null)], loaded('a'), null, null],
  ['the pinned model is not loaded', [endpoint('a')], loaded('a'), 'pinned', 'the model of MODEL_URI is not loaded'],
  ['only the pinned model is to be served', [], loaded('pinned'), 'pinned', null],
  ['the pinned model is not all', [endpoint('a')], loaded('pinned'), 'pinned', 'no model is loaded for endpoint a'],
])('when %s', (_, endpoints, slots, pinned, reason) => {
  expect(readinessOf(endpoints, slots, pinned)).toBe(reason);
});
