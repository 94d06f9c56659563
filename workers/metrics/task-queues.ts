import type { Client } from '@temporalio/client';
import { QUEUES } from '../../workflows/messages.ts';

/** Tasks that wait for a worker, as Temporal estimates them. */
export interface TaskQueueState {
  readonly queue: string;
  readonly type: 'workflow' | 'activity';
  readonly backlog: number;
  /** Of the task that has waited longest. */
  readonly ageSeconds: number;
  /** Connections that asked for tasks in the last minutes. */
  readonly pollers: number;
}

const CALL_MS = 5_000;
const TYPES = { workflow: 1, activity: 2 } as const; // temporal.api.enums.v1.TaskQueueType
const WATCHED = [
  { queue: QUEUES.pipeline, type: 'workflow' }, // the other roles run no workflows
  ...Object.values(QUEUES).map((queue) => ({ queue, type: 'activity' }) as const),
] as const;

/** Throws when Temporal cannot be asked, or does not answer in time. */
export const readTaskQueues = (client: Client): Promise<TaskQueueState[]> =>
  Promise.all(
    WATCHED.map(async ({ queue, type }) => {
      const { namespace } = client.options;
      const question = { namespace, taskQueue: { name: queue }, taskQueueType: TYPES[type], reportStats: true };
      const ask = () => client.workflowService.describeTaskQueue(question);
      const { stats, pollers } = await client.withDeadline(Date.now() + CALL_MS, ask);
      const { seconds = 0, nanos = 0 } = stats?.approximateBacklogAge ?? {};
      return {
        ...{ queue, type },
        backlog: Number(stats?.approximateBacklogCount ?? 0),
        ageSeconds: Number(seconds) + (nanos ?? 0) / 1e9,
        pollers: pollers?.length ?? 0,
      };
    }),
  );
