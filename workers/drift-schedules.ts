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
  /** How often a schedule that was made is looked for, in case somebody deleted it. */
  readonly remakeEveryMs?: number;
}

const LOOK_EVERY_MS = 10_000;
const REMAKE_EVERY_MS = 5 * 60_000;
const CALL_MS = 5_000;

/** Gives every endpoint that is served a Temporal Schedule that watches it. Several processes may do so at once. */
export function startDriftSchedules(deps: DriftSchedulesDeps): Repeating {
  const { remakeEveryMs = REMAKE_EVERY_MS } = deps;
  /** When it was last seen to have its schedule, on a clock that nobody sets. */
  const seen = new Map<string, number>();
  const look = async () => {
    try {
      for (const endpoint of await deps.servedEndpoints()) {
        const seenAt = seen.get(endpoint);
        if (seenAt !== undefined && performance.now() - seenAt < remakeEveryMs) continue;
        const isMade = await make(deps, endpoint);
        if (!isMade && seenAt === undefined) await update(deps, endpoint);
        seen.set(endpoint, performance.now());
        if (isMade || seenAt === undefined)
          deps.log.info({ endpoint, every_seconds: deps.everySeconds }, 'predictions of the endpoint are watched');
      }
    } catch (err) {
      deps.log.warn({ err }, 'endpoints were not looked through for those to watch; it is tried again');
    }
  };
  return repeat(look, deps.lookEveryMs ?? LOOK_EVERY_MS);
}

/** Answers false when it is there. */
const make = ({ client, everySeconds }: DriftSchedulesDeps, endpoint: string): Promise<boolean> =>
  client.withDeadline(Date.now() + CALL_MS, async () => {
    const options = { scheduleId: driftScheduleIdOf(endpoint), ...settingsOf(endpoint, everySeconds) };
    try {
      await client.schedule.create({ ...options, state: { triggerImmediately: true } });
      return true;
    } catch (error) {
      if (error instanceof ScheduleAlreadyRunning) return false;
      throw error;
    }
  });

/** Whether an operator paused it is the operator's business. */
const update = ({ client, everySeconds }: DriftSchedulesDeps, endpoint: string): Promise<void> =>
  client.withDeadline(Date.now() + CALL_MS, () =>
    client.schedule
      .getHandle(driftScheduleIdOf(endpoint))
      .update(({ state }) => ({ ...settingsOf(endpoint, everySeconds), state })),
  );

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
