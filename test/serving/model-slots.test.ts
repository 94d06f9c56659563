import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { createModelSlots } from '../../serving/model-slots.ts';

/** Answers its own number after some turns of the event loop, and fails if it was released by then. */
function version(number: number) {
  let released = false;
  const step = async () => {
    await nextTurn();
    if (released) throw new Error(`version ${number} was used after its release`);
    return number;
  };
  const release = vi.fn(() => {
    released = true;
    return Promise.resolve();
  });
  return { step, release };
}

test('requests that run during 100 swaps all succeed, each on one version, and every old version is released once', async () => {
  const slots = createModelSlots<ReturnType<typeof version>>((error) => expect.unreachable(String(error)));
  const versions = Array.from({ length: 101 }, (_, number) => version(number));
  slots.swap('churn', versions[0]!);
  const answers: (readonly number[])[] = [];
  let swapping = true;
  const client = async () => {
    while (swapping) {
      const seen = await slots.use('churn', async ({ step }) => [await step(), await step(), await step()]);
      answers.push(seen!);
    }
  };
  const clients = Array.from({ length: 8 }, client);
  for (const next of versions.slice(1)) {
    slots.swap('churn', next);
    await nextTurn();
  }
  swapping = false;
  await Promise.all(clients);

  expect(answers.length).toBeGreaterThan(100);
  for (const seen of answers) expect(new Set(seen).size).toBe(1);
  expect(new Set(answers.map(([number]) => number)).size).toBeGreaterThan(10);
  expect(versions.map(({ release }) => release.mock.calls.length)).toEqual([...Array<number>(100).fill(1), 0]);
});

test('a version that is in use is released only after the last request', async () => {
  const slots = createModelSlots<ReturnType<typeof version>>(() => undefined);
  const old = version(1);
  slots.swap('churn', old);
  let finish = () => {};
  const running = slots.use('churn', () => new Promise<void>((resolve) => (finish = resolve)));
  slots.remove('churn');
  await nextTurn();
  expect(old.release).not.toHaveBeenCalled();
  expect(await slots.use('churn', () => Promise.resolve(1))).toBeUndefined();
  finish();
  await running;
  expect(old.release).toHaveBeenCalledOnce();
});

test('a release that fails is told and breaks nothing', async () => {
  const onReleaseError = vi.fn();
  const slots = createModelSlots<{ release: () => Promise<void> }>(onReleaseError);
  slots.swap('churn', { release: () => Promise.reject(new Error('no')) });
  slots.swap('churn', version(2));
  await nextTurn();
  expect(onReleaseError).toHaveBeenCalledOnce();
  expect(slots.names()).toEqual(['churn']);
});
