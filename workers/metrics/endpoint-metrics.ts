import type { Registry } from 'prom-client';
import type { EndpointState } from '../../db/platform-state.ts';
import { sample, show } from './show.ts';

export function publishEndpoints(registry: Registry, endpoints: () => readonly EndpointState[]): void {
  const ofVersion = (name: string, help: string, value: (state: EndpointState) => number | null) =>
    show(registry, name, help, ['endpoint', 'version'], () =>
      endpoints().flatMap((state) => sample(state, ['endpoint', 'version'], value(state))),
    );
  ofVersion(
    'anneal_model_created_timestamp_seconds',
    'When the version that is served was registered',
    (state) => state.createdSeconds,
  );
  ofVersion(
    'anneal_model_activated_timestamp_seconds',
    'When the version that is served took over',
    (state) => state.activatedSeconds,
  );
  ofVersion(
    'anneal_drift_waiting_predictions',
    'Predictions of the served version that are in no window yet, at most 100000',
    (state) => state.waiting,
  );
  show(
    registry,
    'anneal_drift_unreported_windows',
    'Windows that are closed and have no report yet',
    ['endpoint'],
    () => endpoints().flatMap((state) => sample(state, ['endpoint'], state.unreported)),
  );
  show(registry, 'anneal_last_prediction_timestamp_seconds', 'When the last prediction was made', ['endpoint'], () =>
    endpoints().flatMap((state) => sample(state, ['endpoint'], state.lastPredictionSeconds)),
  );
}
