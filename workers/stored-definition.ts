import type { ArtifactStore } from '../lib/artifact-store.ts';
import { parseDefinition, type PipelineDefinition } from '../pipelines/definition.ts';

/** The effective definition of a run, as the API stored it. */
export async function readDefinition(store: ArtifactStore, sha256: string): Promise<PipelineDefinition> {
  return parseDefinition(await store.get(sha256));
}
