import { ApplicationFailure, CancelledFailure } from '@temporalio/activity';
import { ApplicationFailureCategory } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { PlatformError } from '../../lib/errors.ts';
import { createLogger } from '../../lib/log.ts';
import { activityInterceptors } from '../../workers/activity-interceptors.ts';

/** Runs `work` as an activity of run r1, as a worker would, and tells what is logged and counted. */
async function runActivity(work: () => Promise<unknown>, { activityType = 'makeDataset', cancelled = false } = {}) {
  const metrics = new Registry();
  const lines: Record<string, unknown>[] = [];
  const write = (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>);
  const log = createLogger({ service: 'worker', level: 'debug', destination: { write } });
  const info = { activityType, attempt: 2, workflowExecution: { workflowId: 'r1', runId: 't1' } };
  const interceptors = [activityInterceptors({ metrics, log })];
  const environment = new MockActivityEnvironment(info, { interceptors, logger: new DefaultLogger('ERROR') });
  if (cancelled) environment.cancel();
  const error: unknown = await environment.run(work).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return { error, lines, counted: await metrics.metrics() };
}

test('a finished activity leaves one line with its run, attempt and duration', async () => {
  const { lines, counted } = await runActivity(() => Promise.resolve(1));
  expect(lines).toMatchObject([
    { level: 'info', msg: 'activity completed', run_id: 'r1', activity: 'makeDataset', attempt: 2 },
  ]);
  expect(lines[0]!.duration_ms).toBeTypeOf('number');
  expect(counted).toContain('seconds_count{activity="makeDataset",outcome="completed"} 1');
});

test('an expected error becomes a typed failure that is not retried, and a warning with its reason', async () => {
  const { error, lines, counted } = await runActivity(() =>
    Promise.reject(new PlatformError('DATA_CONTRACT', 'row 7: no number')),
  );
  expect(error).toMatchObject({ type: 'DATA_CONTRACT', nonRetryable: true, message: 'row 7: no number' });
  expect(lines).toMatchObject([{ level: 'warn', msg: 'activity failed', err: { message: 'row 7: no number' } }]);
  expect(counted).toContain('seconds_count{activity="makeDataset",outcome="failed"} 1');
});

test('a fault of the infrastructure is worth another try', async () => {
  const { error } = await runActivity(() => Promise.reject(new PlatformError('UNAVAILABLE', 'store is away')));
  expect(error).toMatchObject({ type: 'UNAVAILABLE', nonRetryable: false });
});

test('a cancelled activity has not failed', async () => {
  const { lines, counted } = await runActivity(() => Promise.reject(new CancelledFailure('stop')), { cancelled: true });
  expect(lines).toMatchObject([{ level: 'info', msg: 'activity cancelled' }]);
  expect(counted).toContain('outcome="cancelled"} 1');
});

test('copying the status is logged only for who wants to know everything', async () => {
  const { lines } = await runActivity(() => Promise.resolve(), { activityType: 'recordStatus' });
  expect(lines).toMatchObject([{ level: 'debug', activity: 'recordStatus' }]);
});

test('who waits for something to do has not failed, and is logged only for who wants to know everything', async () => {
  const { error, lines, counted } = await runActivity(() =>
    Promise.reject(ApplicationFailure.create({ type: 'NOTHING_YET', category: ApplicationFailureCategory.BENIGN })),
  );
  expect(error).toMatchObject({ type: 'NOTHING_YET', nonRetryable: false });
  expect(lines).toMatchObject([{ level: 'debug', msg: 'activity waiting' }]);
  expect(counted).toContain('outcome="waiting"} 1');
  expect(counted).not.toContain('outcome="failed"');
});
