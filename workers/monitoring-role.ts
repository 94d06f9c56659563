import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { createDriftActivities } from '../activities/drift.ts';
import { createLabelActivities } from '../activities/labels.ts';
import type { ReferenceProfile } from '../activities/drift-window.ts';
import { createMonitoringActivities } from '../activities/monitoring.ts';
import { connect } from '../db/connect.ts';
import { createDriftReportRepository } from '../db/drift-reports.ts';
import { createDriftWindowRepository } from '../db/drift-windows.ts';
import { createLabelRepository } from '../db/labels.ts';
import { createModelRepository } from '../db/models.ts';
import { createPipelineRepository } from '../db/pipelines.ts';
import { createRealisedMetricsRepository } from '../db/realised-metrics.ts';
import type { ArtifactStore } from '../lib/artifact-store.ts';
import { required, type Config } from '../lib/config.ts';
import type { Logger } from '../lib/log.ts';
import type { ThreadPool } from '../lib/thread-pool.ts';
import { DriftPolicy } from '../pipelines/drift-policy.ts';
import { startDriftSchedules } from './drift-schedules.ts';
import { startLabelMatching } from './label-matching.ts';

interface MonitoringRoleDeps {
  readonly config: Config;
  readonly store: ArtifactStore;
  readonly pool: ThreadPool;
  readonly client: Client;
  readonly log: Logger;
}

/** What a model version is later compared with, and the comparison of its predictions. */
export async function openMonitoringRole({ config, store, pool, client, log }: MonitoringRoleDeps) {
  const database = connect(required(config, 'DATABASE_URL'));
  const windows = createDriftWindowRepository(database);
  const pipelines = createPipelineRepository(database.db);
  const realised = createRealisedMetricsRepository(database.db);
  const workDirectory = join(config.ANNEAL_HOME, 'work');
  await mkdir(workDirectory, { recursive: true });

  /** DuckDB is native: see RunOptions.onAbort. */
  const run =
    (task: string) =>
    <Input, Output>(input: Input, signal: AbortSignal): Promise<Output> =>
      pool.run(task, input, { signal, onAbort: 'abandon' });

  const compared = {
    referenceFile: config.REFERENCE_DATA_PATH,
    // Parsed, for a definition may have been stored before it had a policy.
    driftSettings: async (pipeline: string | null) =>
      DriftPolicy.parse(pipeline === null ? {} : ((await pipelines.get(pipeline)).definition.drift ?? {})),
    readProfile: async (sha256: string) =>
      JSON.parse(Buffer.from(await store.get(sha256)).toString()) as ReferenceProfile,
  };
  const activities = {
    ...createMonitoringActivities({ buildReference: run('buildReference') }),
    ...createDriftActivities({
      settings: {
        reportFrequency: config.REPORT_FREQUENCY,
        bufferSize: config.BUFFER_SIZE,
        referenceFile: config.REFERENCE_DATA_PATH,
      },
      windows,
      reports: createDriftReportRepository(database.db),
      relabelledWindows: realised.dirtyWindows,
      getModel: createModelRepository(database.db).getVersion,
      ...compared,
      compute: run('computeWindow'),
      workDirectory,
    }),
    ...createLabelActivities({
      ...compared,
      metrics: realised,
      countReferenceLabels: run('countReferenceLabels'),
    }),
  };
  const matching = startLabelMatching({ labels: createLabelRepository(database.db), log });
  const schedules = startDriftSchedules({
    client,
    log,
    servedEndpoints: windows.servedEndpoints,
    everySeconds: config.REPORT_FREQUENCY,
  });
  const close = async () => {
    await schedules.stop();
    await matching.stop();
    await database.close();
  };
  return { activities, close };
}
