import { expect, test, vi } from 'vitest';
import { notFound } from '../../../lib/errors.ts';
import type { ThreadPool } from '../../../lib/thread-pool.ts';
import { createExplainer } from '../../../serving/explain/explainer.ts';

const noFetch = () => Promise.reject(new Error('everything is on disk'));

/** A thread that answers when it is told to. */
function setUp() {
  const waiting: ((answer: unknown) => void)[] = [];
  const run = vi.fn(() => new Promise((resolve) => waiting.push(resolve)));
  const close = vi.fn(() => Promise.resolve());
  const open = vi.fn(() => ({ run, close }) as unknown as ThreadPool);
  const explainer = createExplainer({ openThread: open, fetch: noFetch });
  const explain = (rows: number) =>
    explainer.explain({ explainer: 'a', rows: Array.from({ length: rows }, () => ({})) });
  return { ...explainer, explain, open, run, threadClose: close, answerNext: () => waiting.shift()!([]) };
}

test('there is no thread before the first explanation, and one for all that follow', async () => {
  const unused = setUp();
  await unused.close();
  expect(unused.open).not.toHaveBeenCalled();
  const { explain, answerNext, open, run, close, threadClose } = setUp();
  const both = [explain(1), explain(2)];
  answerNext();
  answerNext();
  expect(await Promise.all(both)).toEqual([[], []]);
  expect(open).toHaveBeenCalledOnce();
  expect(run).toHaveBeenLastCalledWith('explain', { explainer: 'a', rows: [{}, {}] }, { onAbort: 'terminate' });
  await close();
  expect(threadClose).toHaveBeenCalledOnce();
});

test('500 rows may wait; who comes with more is told to come again, and is let in when there is room', async () => {
  const { explain, answerNext, run } = setUp();
  const letIn = [explain(450), explain(50)];
  await expect(explain(1)).rejects.toMatchObject({ code: 'UNAVAILABLE', retryAfterSeconds: 1 });
  answerNext();
  await letIn[0];
  letIn.push(explain(450));
  await expect(explain(1)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect(run).toHaveBeenCalledTimes(3);
  answerNext();
  answerNext();
  await Promise.all(letIn);
});

test('rows that could not be explained wait no longer', async () => {
  const failing = { run: () => Promise.reject(new Error('crashed')), close: () => Promise.resolve() };
  const { explain } = createExplainer({ openThread: () => failing, fetch: noFetch });
  const rows = Array.from({ length: 400 }, () => ({}));
  await expect(explain({ explainer: 'a', rows })).rejects.toThrow('crashed');
  await expect(explain({ explainer: 'a', rows })).rejects.toThrow('crashed');
});

test('an explainer that is not on disk is fetched once and tried again; if it cannot be, that is UNAVAILABLE', async () => {
  const lacking = vi.fn(() => Promise.reject<never>(notFound('explainer', 'a')));
  const thread = { run: lacking, close: () => Promise.resolve() };
  const openThread = () => thread;
  const away = createExplainer({ openThread, fetch: noFetch });
  await expect(away.explain({ explainer: 'a', rows: [] })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect(lacking).toHaveBeenCalledTimes(1);

  const fetch = vi.fn(() => Promise.resolve(lacking.mockResolvedValue([] as never)));
  const explainer = createExplainer({ openThread, fetch });
  expect(await explainer.explain({ explainer: 'a', rows: [] })).toEqual([]);
  expect(await explainer.explain({ explainer: 'a', rows: [] })).toEqual([]);
  expect(fetch).toHaveBeenCalledExactlyOnceWith('a');
});
