import { createMonitoringActivities } from '../activities/monitoring.ts';
import type { ThreadPool } from '../lib/thread-pool.ts';

/** What a model version is later compared with. */
export const createMonitoringRole = ({ pool }: { readonly pool: ThreadPool }) =>
  createMonitoringActivities({
    buildReference: (input, signal) => pool.run('buildReference', input, { signal, onAbort: 'abandon' }),
  });
