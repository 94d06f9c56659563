import { expect } from 'vitest';
import type { ColumnValues } from '../../../ml/drift/column-values.ts';
import { compareColumn } from '../../../ml/drift/compare.ts';
import type { DriftMethod } from '../../../ml/drift/drift-report.ts';
import { driftSettings } from './settings.ts';

type Sample = readonly (number | string | null)[];

/** What test/peers/drift_statistics.py prints. */
export interface PeerCase {
  readonly name: string;
  readonly type: 'numeric' | 'categorical';
  readonly reference: Sample;
  readonly current: Sample;
  /** null where the peer has no number (one category leaves chi-squared no degree of freedom). */
  readonly scores: Readonly<Partial<Record<DriftMethod, number | null>>>;
  readonly chosen: DriftMethod;
  readonly threshold: number;
}

const TOLERANCE = 1e-9;

/** Every statistic of a case through `compareColumn`: equal to the peer's to 1e-9 (of its size, above 1). */
export function expectPeerScores(peer: PeerCase): void {
  for (const [method, expected] of Object.entries(peer.scores) as [DriftMethod, number | null][]) {
    const { score } = compare(peer, method);
    if (expected === null) expect(score, `${peer.name}: ${method}`).toBe(1);
    else
      expect(farFrom(method, score!, expected), `${peer.name}: ${method} ${score} for ${expected}`).toBeLessThan(
        TOLERANCE,
      );
  }
  expect(compare(peer), peer.name).toMatchObject({ method: peer.chosen, threshold: peer.threshold });
}

function farFrom(method: DriftMethod, score: number, expected: number): number {
  // Evidently's √(1 − affinity) is wrong by 1e-8 where samples are alike; its affinity is not.
  if (method === 'hellinger') return Math.abs(score ** 2 - expected ** 2);
  return Math.abs(score - expected) / Math.max(1, expected);
}

function compare({ type, reference, current }: PeerCase, method?: DriftMethod) {
  const [a, b] = type === 'numeric' ? [numbers(reference), numbers(current)] : categories(reference, current);
  return compareColumn(a, b, {
    column: 'x',
    role: 'feature',
    settings: driftSettings({ columns: { x: { method } } }),
    rows: { reference: reference.length, current: current.length },
  });
}

const numbers = (sample: Sample): ColumnValues => ({
  type: 'numeric',
  values: Float64Array.from(sample, (value) => (value === null ? NaN : Number(value))),
});

function categories(...samples: [Sample, Sample]): [ColumnValues, ColumnValues] {
  const names = [...new Set(samples.flat())].filter((name) => name !== null).map(String);
  const places = new Map(names.map((name, place) => [name, place]));
  const column = (sample: Sample): ColumnValues => ({
    type: 'categorical',
    codes: Int32Array.from(sample, (name) => places.get(String(name)) ?? -1),
    categories: names,
  });
  return [column(samples[0]), column(samples[1])];
}
