import { ApplicationFailure, type Context } from '@temporalio/activity';
import { ApplicationFailureCategory } from '@temporalio/common';
import type { ActivityInterceptorsFactory, WorkerPlugin } from '@temporalio/worker';
import { trace } from '@opentelemetry/api';
import { Histogram, type Registry } from 'prom-client';
import { type Logger, withLogFields } from '../lib/log.ts';
import { UNWANTED } from '../lib/telemetry.ts';
import { asFailure } from './failure.ts';

interface ActivityWatch {
  readonly metrics: Registry;
  readonly log: Logger;
}
/** `waiting`: there is nothing to do yet, and Temporal is to ask again. */
type Outcome = 'completed' | 'failed' | 'cancelled' | 'waiting';

// Comes with every step of a job and says nothing that the step itself does not say.
const QUIET = new Set(['recordStatus']);

/**
 * Around every activity: its run in each log line, its duration in the metrics, its error as a typed failure. Given after
 * the plugin of tracing, so that what is logged here belongs to the activity's span.
 */
export const activityPlugin = (watch: ActivityWatch): WorkerPlugin => ({
  name: 'anneal-activities',
  configureWorker: ({ interceptors, ...options }) => ({
    ...options,
    interceptors: { ...interceptors, activity: [...(interceptors?.activity ?? []), activityInterceptors(watch)] },
  }),
});

export function activityInterceptors({ metrics, log }: ActivityWatch): ActivityInterceptorsFactory {
  const duration = new Histogram({
    name: 'anneal_activity_duration_seconds',
    help: 'Duration of activity attempts by activity and outcome',
    labelNames: ['activity', 'outcome'] as const,
    buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 1800],
    registers: [metrics],
  });
  return ({ info, cancellationSignal }: Context) => {
    const { activityType: activity, attempt, workflowExecution } = info;
    const ended = (seconds: number, outcome: Outcome, err?: unknown) => {
      const isQuiet = QUIET.has(activity) || outcome === 'waiting';
      const level = outcome === 'failed' ? 'warn' : isQuiet ? 'debug' : 'info';
      log[level]({ attempt, duration_ms: Math.round(seconds * 1000), err }, `activity ${outcome}`);
    };
    return {
      inbound: {
        execute: (input, next) =>
          withLogFields({ run_id: workflowExecution?.workflowId, activity }, async () => {
            const stop = duration.startTimer({ activity });
            try {
              const result: unknown = await next(input);
              ended(stop({ outcome: 'completed' }), 'completed');
              return result;
            } catch (error) {
              const failure = asFailure(error);
              const outcome = cancellationSignal.aborted ? 'cancelled' : isBenign(failure) ? 'waiting' : 'failed';
              // One each second, for hours: a trace would hold little else.
              if (outcome === 'waiting') trace.getActiveSpan()?.setAttribute(UNWANTED, true);
              ended(stop({ outcome }), outcome, outcome === 'failed' ? failure : undefined);
              throw failure;
            }
          }),
      },
    };
  };
}

const isBenign = (failure: unknown) =>
  failure instanceof ApplicationFailure && failure.category === ApplicationFailureCategory.BENIGN;
