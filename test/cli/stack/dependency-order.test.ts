import { expect, test } from 'vitest';
import { startInOrder, stopInOrder } from '../../../cli/stack/dependency-order.ts';

const SERVICES = [
  { name: 'db', dependsOn: [] },
  { name: 'store', dependsOn: [] },
  { name: 'migrate', dependsOn: ['db', 'store'] },
  { name: 'api', dependsOn: ['migrate'] },
];

test('each starts when those it depends on have started, and those that depend on nothing start together', async () => {
  const gates = new Map(SERVICES.map(({ name }) => [name, Promise.withResolvers<void>()]));
  const begun: string[] = [];
  const started = startInOrder(SERVICES, ({ name }) => (begun.push(name), gates.get(name)!.promise));
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  await settle();
  expect(begun).toEqual(['db', 'store']);
  gates.get('db')!.resolve();
  await settle();
  expect(begun).toEqual(['db', 'store']);
  gates.get('store')!.resolve();
  await settle();
  expect(begun).toEqual(['db', 'store', 'migrate']);
  for (const { resolve } of gates.values()) resolve();
  await Promise.all(started.values());
  expect(begun.at(-1)).toBe('api');
});

test('what depends on a service that does not start is not started', async () => {
  const begun: string[] = [];
  const started = startInOrder(SERVICES, ({ name }) => {
    begun.push(name);
    return name === 'db' ? Promise.reject(new Error('no disk')) : Promise.resolve();
  });
  const outcomes = await Promise.allSettled(started.values());
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'rejected', 'rejected']);
  expect(begun).toEqual(['db', 'store']);
});

test('each is stopped after those that depend on it', async () => {
  const events: string[] = [];
  await stopInOrder(SERVICES, async (name) => {
    events.push(`${name} stops`);
    await Promise.resolve();
    events.push(`${name} is gone`);
  });
  expect(events.slice(0, 4)).toEqual(['api stops', 'api is gone', 'migrate stops', 'migrate is gone']);
  expect(events.toSorted()).toEqual(SERVICES.flatMap(({ name }) => [`${name} is gone`, `${name} stops`]).toSorted());
});
