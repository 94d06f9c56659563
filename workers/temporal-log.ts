import type { LogEntry } from '@temporalio/worker';
import type { Logger } from '../lib/log.ts';

const LEVELS = { TRACE: 'trace', DEBUG: 'debug', INFO: 'debug', WARN: 'warn', ERROR: 'error' } as const;
// Only the pipeline role runs workflows; and we log a failed activity ourselves, with run and trace.
const EXPECTED = /^(No workflows registered|Activity failed)/;

/** Temporal's own log lines, as ours: what it says of a workflow carries the id of the run. */
export const temporalLog =
  (log: Logger) =>
  ({ level, message, meta }: LogEntry): void =>
    log[EXPECTED.test(message) ? 'debug' : LEVELS[level]]({ ...meta, run_id: meta?.workflowId as unknown }, message);
