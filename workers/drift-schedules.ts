import { type Client, ScheduleAlreadyRunning, ScheduleOverlapPolicy } from '@temporalio/client';
import type { Logger } from '../lib/log.ts';
import { repeat, type Repeating } from '../lib/repeat.ts';
import { driftScheduleIdOf, QUEUES, type WatchDriftInput } from '../workflows/messages.ts';

export interface DriftSchedulesDeps {
  readonly client: Client;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  /** Names of the endpoints that serve a version. */
  readonly servedEndpoints: () => Promise<readonly string[]>;
  readonly everySeconds: number;
  readonly lookEveryMs?: number;
}

const LOOK_EVERY_MS = 10_000;
const CALL_MS = 5_000;

/** Gives every endpoint that is served a Temporal Schedule that watches it. Several processes may do so at once. */
export function startDriftSchedules(deps: DriftSchedulesDeps): Repeating {
  const known = new Set<string>();
  const look = async () => {
    try {
      for (const endpoint of await deps.servedEndpoints()) {
        if (known.has(endpoint)) continue;
        await schedule(deps, endpoint);
        known.add(endpoint);
        deps.log.info({ endpoint, every_seconds: deps.everySeconds }, 'predictions of the endpoint are watched');
      }
    } catch (err) {
      deps.log.warn({ err }, 'endpoints were not looked through for those to watch; it is tried again');
    }
  };
  return repeat(look, deps.lookEveryMs ?? LOOK_EVERY_MS);
}

const schedule = ({ client, everySeconds }: DriftSchedulesDeps, endpoint: string): Promise<void> =>
  client.withDeadline(Date.now() + CALL_MS, async () => {
    const scheduleId = driftScheduleIdOf(endpoint);
    const settings = settingsOf(endpoint, everySeconds);
    try {
      await client.schedule.create({ scheduleId, ...settings, state: { triggerImmediately: true } });
    } catch (error) {
      if (!(error instanceof ScheduleAlreadyRunning)) throw error;
      // Whether an operator paused it is the operator's business.
      await client.schedule.getHandle(scheduleId).update(({ state }) => ({ ...settings, state }));
    }
  });

const settingsOf = (endpoint: string, everySeconds: number) => ({
  spec: { intervals: [{ every: everySeconds * 1000 }] },
  // One watches at a time, and the next begins as soon as it ends.
  policies: { overlap: ScheduleOverlapPolicy.BUFFER_ONE },
  action: {
    type: 'startWorkflow' as const,
    workflowType: 'watchDrift',
    // Temporal adds the planned time.
    workflowId: `drift-${endpoint}`,
    taskQueue: QUEUES.pipeline,
    args: [{ endpoint } satisfies WatchDriftInput],
  },
});
