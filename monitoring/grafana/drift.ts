import type { DashboardSpec } from './panels.ts';

const OF = '{endpoint=~"$endpoint"}';
const byVersion = (metric: string) => `max by (endpoint, version) (${metric}${OF})`;

export const drift: DashboardSpec = {
  uid: 'anneal-drift',
  title: 'Anneal: drift',
  variables: { endpoint: 'label_values(anneal_drift_waiting_predictions, endpoint)' },
  panels: [
    {
      title: 'Drifted features',
      description: 'Share of the features that drifted in the last window of the version that is served',
      unit: 'percentunit',
      max: 1,
      queries: { '{{endpoint}} v{{version}}': byVersion('anneal_drift_share') },
    },
    {
      title: 'Verdict',
      description: '1: the last window drifted, or its predictions did',
      unit: 'short',
      type: 'stat',
      queries: {
        'features {{endpoint}}': byVersion('anneal_drift_detected'),
        'predictions {{endpoint}}': byVersion('anneal_drift_prediction_detected'),
      },
    },
    {
      title: 'Columns that drifted',
      description: '1: drifted in the last window. The scores are p-values or distances, as the method says',
      unit: 'short',
      queries: { '{{endpoint}} {{column}}': `max by (endpoint, column) (anneal_drift_column_detected${OF})` },
    },
    {
      title: 'Scores',
      description: 'Of the last window; a p-value for ks, chi_squared and z_test, else a distance',
      unit: 'short',
      type: 'table',
      queries: { '': `max by (endpoint, column, method) (anneal_drift_column_score${OF})` },
    },
    {
      title: 'Windows',
      description: 'Windows compared in the last hour, by verdict',
      unit: 'short',
      queries: {
        '{{endpoint}} {{verdict}}': `max by (endpoint, verdict) (increase(anneal_drift_windows_total${OF}[1h]))`,
      },
    },
    {
      title: 'Waiting',
      description: 'Predictions that are in no window yet',
      unit: 'short',
      queries: {
        'predictions {{endpoint}} v{{version}}': byVersion('anneal_drift_waiting_predictions'),
        'windows without report {{endpoint}}': `max by (endpoint) (anneal_drift_unreported_windows${OF})`,
      },
    },
    {
      title: 'Last window',
      description: 'Its number and its predictions',
      unit: 'short',
      type: 'stat',
      queries: {
        'number {{endpoint}}': byVersion('anneal_drift_window_sequence'),
        'predictions {{endpoint}}': byVersion('anneal_drift_window_rows'),
      },
    },
    {
      title: 'Age of the last window',
      description: 'Since its last prediction',
      unit: 's',
      queries: { '{{endpoint}} v{{version}}': `time() - ${byVersion('anneal_drift_window_timestamp_seconds')}` },
    },
  ],
};
