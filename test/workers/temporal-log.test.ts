import type { LogEntry } from '@temporalio/worker';
import { expect, test } from 'vitest';
import { createLogger } from '../../lib/log.ts';
import { temporalLog } from '../../workers/temporal-log.ts';

function forward(entry: Pick<LogEntry, 'level' | 'message' | 'meta'>): Record<string, unknown> {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const log = createLogger({ service: 'worker-pipeline', level: 'debug', destination });
  temporalLog(log)({ ...entry, timestampNanos: 0n });
  return JSON.parse(lines.join('')) as Record<string, unknown>;
}

test('what Temporal says of a workflow is a line of the worker with the id of the run', () => {
  const line = forward({
    level: 'WARN',
    message: 'Workflow task failed',
    meta: { workflowId: 'train-1', runId: 't1' },
  });
  expect(line).toMatchObject({
    service: 'worker-pipeline',
    level: 'warn',
    msg: 'Workflow task failed',
    run_id: 'train-1',
  });
});

test('what it says of the worker itself has no run', () => {
  expect(forward({ level: 'ERROR', message: 'connection lost' })).not.toHaveProperty('run_id');
});

test('what we log ourselves, or expect, is for who wants to know everything', () => {
  expect(forward({ level: 'WARN', message: 'Activity failed', meta: { workflowId: 'train-1' } }).level).toBe('debug');
  expect(forward({ level: 'INFO', message: 'Worker state changed' }).level).toBe('debug');
});
