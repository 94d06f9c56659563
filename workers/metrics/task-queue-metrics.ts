import type { Registry } from 'prom-client';
import { sample, show } from './show.ts';
import type { TaskQueueState } from './task-queues.ts';

export function publishTaskQueues(registry: Registry, queues: () => readonly TaskQueueState[]): void {
  const ofQueue = (name: string, help: string, value: (state: TaskQueueState) => number) =>
    show(registry, name, help, ['queue', 'type'], () =>
      queues().flatMap((state) => sample(state, ['queue', 'type'], value(state))),
    );
  ofQueue('anneal_task_queue_backlog', 'Tasks that wait for a worker, about', (state) => state.backlog);
  ofQueue('anneal_task_queue_age_seconds', 'How long the oldest of them has waited', (state) => state.ageSeconds);
  ofQueue(
    'anneal_task_queue_pollers',
    'Connections that asked for tasks in the last minutes',
    (state) => state.pollers,
  );
}
