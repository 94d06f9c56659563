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

const TYPES = { workflow: 1, activity: 2 } as const; // temporal.api.enums.v1.TaskQueueType
const WATCHED = [
  { queue: QUEUES.pipeline, type: 'workflow' }, // the other roles run no workflows
  ...Object.values(QUEUES).map((queue) => ({ queue, type: 'activity' }) as const),
] as const;

/** Throws when Temporal cannot be asked. */
export const readTaskQueues = ({ workflowService, options }: Client): Promise<TaskQueueState[]> =>
  Promise.all(
    WATCHED.map(async ({ queue, type }) => {
      const { namespace } = options;
      const question = { namespace, taskQueue: { name: queue }, taskQueueType: TYPES[type], reportStats: true };
      const { stats, pollers } = await workflowService.describeTaskQueue(question);
      const { seconds = 0, nanos = 0 } = stats?.approximateBacklogAge ?? {};
      return {
        ...{ queue, type },
        backlog: Number(stats?.approximateBacklogCount ?? 0),
        ageSeconds: Number(seconds) + (nanos ?? 0) / 1e9,
        pollers: pollers?.length ?? 0,
      };
    }),
  );
