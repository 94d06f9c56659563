import type { Registry } from 'prom-client';
import type { DriftState } from '../../db/platform-state.ts';
import { sample, show } from './show.ts';

export function publishDrift(registry: Registry, drift: () => readonly DriftState[]): void {
  const ofWindow = (name: string, help: string, value: (state: DriftState) => number) =>
    show(registry, name, help, ['endpoint', 'version'], () =>
      drift().flatMap((state) => sample(state, ['endpoint', 'version'], value(state))),
    );
  ofWindow(
    'anneal_drift_share',
    'Share of the features that drifted in the last window',
    (state) => state.driftedShare,
  );
  ofWindow('anneal_drift_detected', 'Did the last window drift: 1 or 0', (state) => Number(state.drifted));
  ofWindow('anneal_drift_prediction_detected', 'Did its predictions drift: 1 or 0', (state) =>
    Number(state.predictionDrifted),
  );
  ofWindow('anneal_drift_window_sequence', 'Number of the last window', (state) => state.sequence);
  ofWindow('anneal_drift_window_rows', 'Predictions in the last window', (state) => state.rows);
  ofWindow(
    'anneal_drift_window_timestamp_seconds',
    'When the last prediction of the last window was made',
    (state) => state.lastSeconds,
  );
  const ofColumns = (
    name: string,
    help: string,
    labels: readonly string[],
    value: (column: DriftState['columns'][number]) => number | null,
  ) =>
    show(registry, name, help, ['endpoint', ...labels], () =>
      drift().flatMap(({ endpoint, columns }) =>
        columns.flatMap((column) => sample({ endpoint, ...column }, ['endpoint', ...labels], value(column))),
      ),
    );
  ofColumns(
    'anneal_drift_column_score',
    'p-value or distance of a column in the last window; the method says which',
    ['column', 'method'],
    (column) => column.score,
  );
  ofColumns('anneal_drift_column_detected', 'Did a column drift in the last window: 1 or 0', ['column'], (column) =>
    Number(column.drifted),
  );
}
