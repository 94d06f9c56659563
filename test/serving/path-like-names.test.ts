import { expect, test } from 'vitest';
import type { ServedSlot } from '../../serving/served-slot.ts';
import { createModelSlots } from '../../serving/model-slots.ts';
import { createTestServing } from './doubles.ts';

const { app } = createTestServing({
  slots: createModelSlots<ServedSlot>(() => undefined),
  isKnown: (endpoint) => endpoint === 'churn',
});

test.each([
  '../x',
  '/etc/passwd',
  '..',
  '..\\x',
  'churn\0',
  '%2e%2e/x',
  '．．／x',
  'a\u202egnp',
  'сhurn',
  'constructor',
  '__proto__',
  'a'.repeat(500),
])('no endpoint is called %j', async (name) => {
  const encoded = encodeURIComponent(name);
  const init = {
    method: 'POST',
    headers: { authorization: 'Bearer ada', 'content-type': 'application/json' },
    body: '{}',
  };
  for (const path of [`/api/v1/predict/${encoded}`, `/api/v1/predict/${encoded}/batch`]) {
    const { status } = await app.request(path, init);
    expect([404, 422], `${path} ${status}`).toContain(status);
  }
  for (const path of ['/meta', '/lineage']) {
    const { status } = await app.request(`${path}?endpoint=${encoded}`, { headers: init.headers });
    expect(status, path).toBe(404);
  }
});
