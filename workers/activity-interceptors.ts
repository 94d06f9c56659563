import type { Context } from '@temporalio/activity';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { Histogram, type Registry } from 'prom-client';
import { withLogFields } from '../lib/log.ts';
import { asFailure } from './failure.ts';

/** Around every activity: its run in each log line, its duration in the metrics, its error as a typed failure. */
export function activityInterceptors(metrics: Registry): ActivityInterceptorsFactory {
  const duration = new Histogram({
    name: 'anneal_activity_duration_seconds',
    help: 'Duration of activity attempts by activity and outcome',
    labelNames: ['activity', 'outcome'] as const,
    buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 1800],
    registers: [metrics],
  });
  return ({ info }: Context) => ({
    inbound: {
      execute: (input, next) =>
        withLogFields({ run_id: info.workflowExecution?.workflowId, activity: info.activityType }, async () => {
          const stop = duration.startTimer({ activity: info.activityType });
          try {
            const result: unknown = await next(input);
            stop({ outcome: 'completed' });
            return result;
          } catch (error) {
            stop({ outcome: 'failed' });
            throw asFailure(error);
          }
        }),
    },
  });
}
