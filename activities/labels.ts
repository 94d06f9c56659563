import type { Realised, RealisedMetricsRepository, WindowLabels } from '../db/realised-metrics.ts';
import type { ModelVersion } from '../db/schema/models.ts';
import type { DriftSettings } from '../ml/drift/drift-report.ts';
import { type ClassCounts, targetDrift } from '../ml/drift/target-drift.ts';
import type { InputColumn } from '../ml/features.ts';
import { realisedMetrics } from '../ml/metrics/realised.ts';
import type { ModelSignature } from '../ml/signature.ts';
import type { Sha256 } from './artifacts.ts';
import type { ReferenceProfile } from './drift-window.ts';
import { heartbeating } from './heartbeat.ts';

export interface RestateMetricsInput {
  readonly endpoint: string;
  /** Numbers of windows. */
  readonly sequences: readonly number[];
}
export interface ReferenceLabelsInput {
  /** A sample in the artifact store, or a Parquet file on this machine that stands for it. */
  readonly reference: { readonly sha256: Sha256 } | { readonly path: string };
  readonly inputs: readonly InputColumn[];
}
export interface LabelDeps {
  readonly metrics: Pick<RealisedMetricsRepository, 'getWindow' | 'restate'>;
  readonly driftSettings: (pipeline: string | null) => Promise<DriftSettings>;
  readonly readProfile: (sha256: Sha256) => Promise<ReferenceProfile>;
  /** Path of a Parquet file that stands for the sample of every version. */
  readonly referenceFile: string | undefined;
  /** Runs in the thread pool. null when the file has no labels. */
  readonly countReferenceLabels: (input: ReferenceLabelsInput, signal: AbortSignal) => Promise<ClassCounts | null>;
}
export type LabelActivities = ReturnType<typeof createLabelActivities>;

export const createLabelActivities = (deps: LabelDeps) => ({
  /**
   * Computes the realised metrics of windows anew; a repeat finds what the labels say then. A window that fails does not
   * hold up those after it: the first failure is thrown when all have been tried.
   */
  restateMetrics: ({ endpoint, sequences }: RestateMetricsInput): Promise<void> =>
    heartbeating(async (signal) => {
      const references = new Map<string, Promise<ClassCounts | null>>();
      const restate = async (sequence: number) => {
        const { window, version } = await deps.metrics.getWindow(endpoint, sequence);
        const name = `${version.modelName}/${version.version}`;
        if (!references.has(name)) references.set(name, referenceLabels(deps, version, signal));
        const reference = await references.get(name)!;
        const settings = await deps.driftSettings(version.pipelineName);
        await deps.metrics.restate(window, (found) => realise(found, version.signature, { reference, settings }));
      };
      const failures: unknown[] = [];
      for (const sequence of sequences) {
        signal.throwIfAborted();
        await restate(sequence).catch((error: unknown) => failures.push(error));
      }
      signal.throwIfAborted();
      if (failures.length > 0) throw failures[0];
    }),
});

interface Expected {
  readonly reference: ClassCounts | null;
  readonly settings: DriftSettings;
}
function realise(
  { labels, probabilities }: WindowLabels,
  { classes, threshold }: ModelSignature,
  { reference, settings }: Expected,
): Realised {
  const target = Uint8Array.from(labels, (label) => (label === classes.positive ? 1 : 0));
  const metrics = realisedMetrics(target, probabilities, threshold);
  const positives = metrics.confusion.tp + metrics.confusion.fn;
  const current = { [classes.positive]: positives, [classes.negative]: labels.length - positives };
  return { metrics, targetDrift: reference && targetDrift(reference, current, settings) };
}

/** null when the version came from outside. */
async function referenceLabels(
  { referenceFile, readProfile, countReferenceLabels }: LabelDeps,
  { referenceProfileSha256: profile, signature: { inputs } }: ModelVersion,
  signal: AbortSignal,
): Promise<ClassCounts | null> {
  if (referenceFile !== undefined)
    return await countReferenceLabels({ reference: { path: referenceFile }, inputs }, signal);
  const sample = profile === null ? undefined : (await readProfile(profile)).sample;
  return sample ? await countReferenceLabels({ reference: { sha256: sample.sha256 }, inputs }, signal) : null;
}
