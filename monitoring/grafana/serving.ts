import type { DashboardSpec } from './panels.ts';

const OF = 'endpoint=~"$endpoint"';
const rate = (metric: string, more = '') => `rate(${metric}{${OF}${more}}[$__rate_interval])`;
const quantile = (share: number) =>
  `histogram_quantile(${share}, sum by (le, endpoint) (${rate('anneal_prediction_request_seconds_bucket')}))`;

export const serving: DashboardSpec = {
  uid: 'anneal-serving',
  title: 'Anneal: serving',
  variables: { endpoint: 'label_values(anneal_prediction_requests_total, endpoint)' },
  panels: [
    {
      title: 'Requests',
      description: 'Prediction requests per second, by status',
      unit: 'reqps',
      queries: { '{{endpoint}} {{status}}': `sum by (endpoint, status) (${rate('anneal_prediction_requests_total')})` },
    },
    {
      title: 'Latency',
      description: 'From the request to the answer; points are traces',
      unit: 's',
      queries: {
        'p50 {{endpoint}}': quantile(0.5),
        'p95 {{endpoint}}': quantile(0.95),
        'p99 {{endpoint}}': quantile(0.99),
      },
    },
    {
      title: '4xx and 5xx',
      description: 'Share of the requests that are refused (4xx) or fail (5xx)',
      unit: 'percentunit',
      queries: Object.fromEntries(
        ['4', '5'].map((first) => [
          `${first}xx`,
          `(sum(${rate('anneal_prediction_requests_total', `, status=~"${first}.."`)}) or vector(0))
            / sum(${rate('anneal_prediction_requests_total')})`.replace(/\s+/g, ' '),
        ]),
      ),
    },
    {
      title: 'Problems',
      description: 'Requests that were refused or failed, per second, by problem code',
      unit: 'reqps',
      queries: { '{{code}}': `sum by (code) (${rate('anneal_prediction_errors_total')})` },
    },
    {
      title: 'Predictions',
      description: 'Scored rows per second, by version',
      unit: 'rowsps',
      queries: { '{{endpoint}} v{{version}}': `sum by (endpoint, version) (${rate('anneal_predictions_total')})` },
    },
    {
      title: 'Queues',
      description: 'What waits or is under way in the processes',
      unit: 'short',
      queries: { '{{queue}}': 'sum by (queue) (anneal_queue_depth)' },
    },
    {
      title: 'Event loop',
      description: 'How late the event loop was, at worst',
      unit: 's',
      queries: { '{{instance}}': 'max by (instance) (anneal_event_loop_delay_seconds{quantile="1"})' },
    },
    {
      title: 'Prediction log',
      description: 'How long the oldest prediction has waited to be in Postgres',
      unit: 's',
      queries: { '{{instance}}': 'max by (instance) (anneal_prediction_log_oldest_age_seconds)' },
    },
    {
      title: 'Since the last prediction',
      description: 'By what is in Postgres',
      unit: 's',
      type: 'stat',
      queries: { '{{endpoint}}': `time() - max by (endpoint) (anneal_last_prediction_timestamp_seconds{${OF}})` },
    },
    {
      title: 'Models',
      description: 'What is loaded',
      unit: 'short',
      type: 'table',
      queries: { '': `max by (endpoint, model, version, revision) (anneal_model_info{${OF}})` },
    },
  ],
};
