import type { DatasetRepository } from '../db/datasets.ts';
import type { PipelineRepository } from '../db/pipelines.ts';
import type { PipelineVersion } from '../db/schema/pipelines.ts';
import type { ArtifactStore } from '../lib/artifact-store.ts';
import { PlatformError } from '../lib/errors.ts';
import type { OutgoingPolicy } from '../lib/http/outgoing.ts';
import type { PipelineDefinition } from '../pipelines/definition.ts';
import { canonicalBytes } from './canonical-json.ts';
import { invalid } from './router.ts';
import { scheduleProblems } from './schedule-checks.ts';
import type { Schedules } from './schedules.ts';
import { checkSource } from './sources.ts';

export interface PipelineSaveDeps {
  readonly pipelines: Pick<PipelineRepository, 'get' | 'saveVersion'>;
  readonly datasets: Pick<DatasetRepository, 'getVersion'>;
  readonly store: Pick<ArtifactStore, 'put'>;
  readonly schedules: Schedules;
  readonly sourceConnections: readonly string[];
  readonly outgoing: OutgoingPolicy;
}

/** Saves a definition and brings its schedule in line. Repeating it after a failure half-way mends both. */
export async function savePipeline(
  deps: PipelineSaveDeps,
  definition: PipelineDefinition,
  createdBy: string,
): Promise<{ version: PipelineVersion; created: boolean }> {
  const problems = scheduleProblems(definition);
  if (problems.length > 0) throw invalid(problems);
  if (definition.source) await checkSource(deps, definition.source, 'source');
  const { sha256: definitionSha256 } = await deps.store.put(canonicalBytes(definition));
  const { name, version, created } = await deps.pipelines.saveVersion({ definition, definitionSha256, createdBy });
  await syncSchedule(deps, name);
  return { version: await deps.pipelines.get(name, version), created };
}

/** The schedule follows the latest version, even when two saves overlap. */
async function syncSchedule({ pipelines, schedules }: PipelineSaveDeps, name: string): Promise<void> {
  let synced: number | undefined;
  for (;;) {
    const latest = await pipelines.get(name);
    if (latest.version === synced) return;
    await schedules.sync(latest);
    synced = latest.version;
  }
}

/** Puts the pipelines that come with Anneal in place; ones that are there stay as their users left them. */
export async function saveReadyPipelines(
  deps: PipelineSaveDeps,
  ready: readonly PipelineDefinition[],
): Promise<string[]> {
  const saved: string[] = [];
  for (const definition of ready) {
    try {
      await deps.pipelines.get(definition.name);
    } catch (error) {
      if (!(error instanceof PlatformError) || error.code !== 'NOT_FOUND') throw error;
      await savePipeline(deps, definition, 'anneal');
      saved.push(definition.name);
    }
  }
  return saved;
}
