import { expect, test } from 'vitest';
import { createInFlight } from '../../serving/in-flight.ts';
import { createTestServing, slotScoring } from './doubles.ts';
import { createModelSlots } from '../../serving/model-slots.ts';
import type { ServedSlot } from '../../serving/served-slot.ts';

test('so many may enter, and one more when one has left', () => {
  const { enter, leave, depth } = createInFlight(2);
  expect([enter(), enter(), enter(), enter()]).toEqual([true, true, false, false]);
  expect(depth()).toBe(2);
  leave();
  expect(depth()).toBe(1);
  expect([enter(), enter()]).toEqual([true, false]);
});

test('a request beyond the cap is refused at once, before its body is read, with when to come again', async () => {
  const { promise: scored, resolve: score } = Promise.withResolvers<Float32Array>();
  const slots = createModelSlots<ServedSlot>(() => undefined);
  slots.swap(
    'churn',
    slotScoring('churn', 3, () => scored),
  );
  const { app } = createTestServing({ slots, inFlight: createInFlight(1) });
  const headers = { authorization: 'Bearer ada', 'content-type': 'application/json' };
  const post = (body: RequestInit['body']) =>
    app.request('/predict', { method: 'POST', headers, body, duplex: 'half' });
  const first = post(JSON.stringify({ age: 30, spend: 10.5, plan: 'basic' }));
  await new Promise(setImmediate);

  let read = 0;
  const body = new ReadableStream({ pull: () => void read++ }, { highWaterMark: 0 });
  const refused = await post(body);
  expect([refused.status, refused.headers.get('content-type'), refused.headers.get('retry-after')]).toEqual([
    503,
    'application/problem+json',
    '1',
  ]);
  expect(await refused.json()).toMatchObject({ code: 'UNAVAILABLE' });
  expect(read).toBe(0);
  score(Float32Array.of(0.25));
  expect((await first).status).toBe(200);
});
