import type { DashboardSpec } from './panels.ts';

export const temporal: DashboardSpec = {
  uid: 'anneal-temporal',
  title: 'Anneal: Temporal workers',
  panels: [
    {
      title: 'Backlog',
      description: 'Tasks that wait for a worker, about',
      unit: 'short',
      queries: { '{{queue}} {{type}}': 'max by (queue, type) (anneal_task_queue_backlog)' },
    },
    {
      title: 'Oldest task',
      description: 'How long it has waited for a worker',
      unit: 's',
      queries: { '{{queue}} {{type}}': 'max by (queue, type) (anneal_task_queue_age_seconds)' },
    },
    {
      title: 'Workers',
      description: 'Connections that asked for tasks in the last minutes',
      unit: 'short',
      queries: { '{{queue}} {{type}}': 'max by (queue, type) (anneal_task_queue_pollers)' },
    },
    {
      title: 'Slots',
      description: 'Activities that a worker runs, and could run besides',
      unit: 'short',
      queries: {
        'used {{task_queue}}': 'sum by (task_queue) (temporal_worker_task_slots_used{worker_type="ActivityWorker"})',
        'free {{task_queue}}':
          'sum by (task_queue) (temporal_worker_task_slots_available{worker_type="ActivityWorker"})',
      },
    },
    {
      title: 'From scheduled to started',
      description: 'p95 of activities',
      unit: 's',
      queries: {
        '{{task_queue}}':
          'histogram_quantile(0.95, sum by (le, task_queue) (rate(temporal_activity_schedule_to_start_latency_seconds_bucket[5m])))',
      },
    },
    {
      title: 'Workflow tasks',
      description: 'p95 of the time that workflow code takes per task',
      unit: 's',
      queries: {
        '{{workflow_type}}':
          'histogram_quantile(0.95, sum by (le, workflow_type) (rate(temporal_workflow_task_execution_latency_seconds_bucket[5m])))',
      },
    },
    {
      title: 'Requests to Temporal',
      description: 'Per second, by operation',
      unit: 'reqps',
      queries: { '{{operation}}': 'sum by (operation) (rate(temporal_request_total[$__rate_interval]))' },
    },
    {
      title: 'Workflows that ended',
      description: 'Completed workflows in the last hour, by type',
      unit: 'short',
      queries: { '{{workflow_type}}': 'sum by (workflow_type) (increase(temporal_workflow_completed_total[1h]))' },
    },
  ],
};
