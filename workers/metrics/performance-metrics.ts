import type { Registry } from 'prom-client';
import type { DriftState, RealisedState } from '../../db/platform-state.ts';
import { type Sample, sample, show } from './show.ts';

type OfVersion = { readonly endpoint: string; readonly version: number };

/** How well the served version predicts: by its labels, and by its probabilities alone. */
export function publishPerformance(
  registry: Registry,
  { realised, drift }: { realised: () => readonly RealisedState[]; drift: () => readonly DriftState[] },
): void {
  const ofMetrics = (name: string, help: string, samples: () => readonly Sample[]) =>
    show(registry, name, help, ['endpoint', 'version', 'metric'], samples);
  ofMetrics('anneal_realised_performance', 'Metrics of the last window with labels, by its labels', () =>
    realised().flatMap((state) => samplesOf(state, state.metrics)),
  );
  ofMetrics('anneal_estimated_performance', 'Metrics of the last window, estimated without labels', () =>
    drift().flatMap((state) => samplesOf(state, state.estimate ?? {})),
  );
  show(registry, 'anneal_labelled_predictions', 'Labels in the last window with labels', ['endpoint', 'version'], () =>
    realised().flatMap((state) => sample(state, ['endpoint', 'version'], state.labelled)),
  );
}

const samplesOf = ({ endpoint, version }: OfVersion, metrics: Readonly<Record<string, unknown>>): Sample[] =>
  Object.entries(metrics).flatMap(([metric, value]) =>
    typeof value === 'number' && metric !== 'labelled' ? [[{ endpoint, version, metric }, value]] : [],
  );
