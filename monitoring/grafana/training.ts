import type { DashboardSpec } from './panels.ts';

export const training: DashboardSpec = {
  uid: 'anneal-training',
  title: 'Anneal: training',
  panels: [
    {
      title: 'Runs that ended',
      description: 'In the last hour, by kind and how they ended',
      unit: 'short',
      queries: { '{{kind}} {{state}}': 'max by (kind, state) (increase(anneal_runs_finished_total[1h]))' },
    },
    {
      title: 'Runs now',
      description: 'Those that have not ended',
      unit: 'short',
      queries: { '{{kind}} {{state}}': 'max by (kind, state) (anneal_runs_active)' },
    },
    {
      title: 'Steps',
      description: 'Median duration of the attempts of each activity',
      unit: 's',
      queries: {
        '{{activity}}':
          'histogram_quantile(0.5, sum by (le, activity) (rate(anneal_activity_duration_seconds_bucket[5m])))',
      },
    },
    {
      title: 'Attempts',
      description: 'Attempts of activities per second, by outcome; failed ones are tried again',
      unit: 'ops',
      queries: { '{{outcome}}': 'sum by (outcome) (rate(anneal_activity_duration_seconds_count[5m]))' },
    },
    {
      title: 'Age of models',
      description: 'Since the version that is served was registered',
      unit: 's',
      type: 'stat',
      queries: {
        '{{endpoint}} v{{version}}': 'time() - max by (endpoint, version) (anneal_model_created_timestamp_seconds)',
      },
    },
    {
      title: 'In use',
      description: 'Since the version that is served took over',
      unit: 's',
      type: 'stat',
      queries: {
        '{{endpoint}} v{{version}}': 'time() - max by (endpoint, version) (anneal_model_activated_timestamp_seconds)',
      },
    },
  ],
};
