import type { HeldEndpoint } from '../db/held-endpoint.ts';
import type { WindowVersion } from '../db/retrainings.ts';
import type { PipelineVersion } from '../db/schema/pipelines.ts';
import type { Retraining } from '../db/schema/retrainings.ts';
import { endpointNameOf, modelNameOf, PipelineDefinition } from '../pipelines/definition.ts';
import { decideRetraining } from '../pipelines/retraining-decision.ts';
import { type AlertSignal, alertsOf } from '../pipelines/window-alerts.ts';
import type { RespondInput } from '../workflows/respond-to-window.ts';
import { endHeldRetraining, type RetrainInput } from './retraining.ts';

/** What is to be started because of a window. */
export interface WindowResponse {
  readonly retraining: RetrainInput | null;
  /** Messages to the webhook. */
  readonly deliveries: readonly number[];
}
export interface ResponseDeps {
  readonly windowVersion: (endpoint: string, sequence: number) => Promise<WindowVersion>;
  /** The newest version of a pipeline. */
  readonly getPipeline: (name: string) => Promise<PipelineVersion>;
  readonly alone: <T>(endpoint: string, work: (held: HeldEndpoint) => Promise<T>) => Promise<T>;
  /** Is the workflow of a retraining, or its run, still open? */
  readonly isUnderWay: (retraining: Pick<Retraining, 'endpoint' | 'sequence' | 'runId'>) => Promise<boolean>;
  /** Is there a webhook to tell? */
  readonly webhook: boolean;
  readonly now: () => Date;
}
export type ResponseActivities = ReturnType<typeof createResponseActivities>;

export const createResponseActivities = (deps: ResponseDeps) => ({
  /**
   * Raises and resolves alerts and decides whether the served version is trained again; both by all that is known of that
   * version now, so that a repeat, or another window at the same time, comes to the same. A window of a version that is no
   * longer served changes nothing.
   */
  judgeWindow: async ({ endpoint, sequence }: RespondInput): Promise<WindowResponse> => {
    const served = await deps.windowVersion(endpoint, sequence);
    const pipeline = await newestPipeline(deps, endpoint, served);
    return await deps.alone(endpoint, async (held) => {
      const late = await endAbandoned(deps, held);
      const known = await held.retrainingOf(sequence);
      const isServed = await held.isServed(served);
      const { model, version } = served;
      const subject = { model, version, sequence, webhook: deps.webhook };
      if (isServed) await held.resolveOtherVersions(subject);
      const signals = isServed ? await judge({ held, sequence, served, pipeline, now: deps.now(), known }) : [];
      const deliveries = await held.signal(subject, signals);
      const decided = await held.retrainingOf(sequence);
      const isStarted = decided?.state === 'started' && pipeline !== null;
      return {
        retraining: isStarted ? toInput(endpoint, sequence, decided, pipeline) : null,
        deliveries: [...late, ...deliveries],
      };
    });
  },
});

// From the decision to the start of the workflow it is a moment.
const START_MS = 5 * 60_000;

/** A retraining that was terminated cannot say that it is over, and as long as one is not, no other one starts. */
async function endAbandoned(
  { isUnderWay, now, webhook }: ResponseDeps,
  held: HeldEndpoint,
): Promise<readonly number[]> {
  const started = await held.startedRetraining();
  if (!started || now().getTime() < started.createdAt.getTime() + START_MS || (await isUnderWay(started))) return [];
  const outcome = { state: 'failed', reason: 'it was ended from outside' } as const;
  return await endHeldRetraining(held, { sequence: started.sequence, outcome }, webhook);
}

type Pipeline = Pick<PipelineVersion, 'pipelineName' | 'version' | 'definitionSha256' | 'definition'>;
type Decided = NonNullable<Awaited<ReturnType<HeldEndpoint['retrainingOf']>>>;
interface Judged {
  readonly held: HeldEndpoint;
  readonly sequence: number;
  readonly served: WindowVersion;
  readonly pipeline: Pipeline | null;
  readonly now: Date;
  readonly known: Decided | null;
}

/** Only one that makes the same model for the same endpoint can replace the version. */
async function newestPipeline(
  { getPipeline }: ResponseDeps,
  endpoint: string,
  { pipeline, model }: WindowVersion,
): Promise<Pipeline | null> {
  if (pipeline === null) return null;
  const found = await getPipeline(pipeline);
  // Parsed, for it may have been stored before there were all the fields of today.
  const definition = PipelineDefinition.parse(found.definition);
  return endpointNameOf(definition) === endpoint && modelNameOf(definition) === model ? { ...found, definition } : null;
}

/** Writes the decision down and answers the signals for the alerts. */
async function judge(input: Judged): Promise<AlertSignal[]> {
  const { held, served, pipeline } = input;
  const { retraining, evaluation, drift } = pipeline?.definition ?? {};
  const { on_drift, on_metric } = retraining ?? {};
  const minLabels = on_metric?.min_labels ?? drift?.min_rows ?? 1;
  const evidence = {
    judged: await held.judgedWindows(served, on_drift?.windows ?? 1),
    labelled: await held.labelledWindows(served, minLabels, on_metric?.windows ?? 1),
  };
  const signals = alertsOf(evidence, on_metric ? [on_metric] : (evaluation?.gates ?? []));
  const nothingSkipped: AlertSignal = { kind: 'retraining_skipped', sequence: input.sequence, message: null };
  if (retraining === undefined) return [...signals, nothingSkipped];
  const decision = decideRetraining(retraining, {
    ...evidence,
    now: input.now,
    version_made_at: served.madeAt,
    new_labels: await held.labelsSince(served.madeAt, retraining.min_new_labels),
    earlier: await held.earlierRetrainings(served, retraining.max_per_week),
  });
  if (!decision) return [...signals, nothingSkipped];
  // What this window started before is neither an obstacle nor a new cause.
  if (input.known && input.known.state !== 'skipped') return signals;
  return [...signals, ...(await record(input, decision))];
}

async function record(
  { held, sequence, served: { model, version } }: Judged,
  { cause, skipped }: NonNullable<ReturnType<typeof decideRetraining>>,
): Promise<AlertSignal[]> {
  await held.recordRetraining({
    ...{ sequence, model, version },
    ...{ cause: cause.kind, detail: cause.detail, windows: cause.windows },
    state: skipped ? 'skipped' : 'started',
    reason: skipped && `${skipped.reason}: ${skipped.detail}`,
    runId: skipped ? null : `retrain-${held.endpoint}-${sequence}`,
  });
  if (skipped === null) return [{ kind: 'retraining_skipped', sequence, message: null }];
  if (skipped.reason !== 'weekly limit' && skipped.reason !== 'budget') return [];
  const message = `not trained again although ${cause.detail}: ${skipped.reason}, ${skipped.detail}`;
  return [{ kind: 'retraining_skipped', sequence, message }];
}

const toInput = (endpoint: string, sequence: number, decided: Decided, pipeline: Pipeline): RetrainInput => ({
  cause: { endpoint, sequence, kind: decided.cause },
  run_id: decided.runId!,
  model: decided.model,
  version: decided.version,
  pipeline: { name: pipeline.pipelineName, version: pipeline.version },
  definition: pipeline.definitionSha256,
  include_labels: pipeline.definition.retraining?.include_labels ?? false,
});
