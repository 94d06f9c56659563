import type { AddCounts } from '../../../lib/rate-limit/rate-limiter.ts';

/** Shared counters in memory, on a clock that the test moves. */
export function createCounters() {
  const rows = new Map<string, { points: number; endsAt: number }>();
  const state = { now: 0, reachable: true, asked: 0 };
  const add: AddCounts = ({ windowMs }, counts) => {
    state.asked++;
    if (!state.reachable) return Promise.reject(new Error('connection refused'));
    return Promise.resolve(
      counts.map(({ key, points }) => {
        let row = rows.get(key);
        if (!row || row.endsAt <= state.now) rows.set(key, (row = { points: 0, endsAt: state.now + windowMs }));
        row.points += points;
        return { points: row.points, resetMs: row.endsAt - state.now };
      }),
    );
  };
  return { state, add, pointsOf: (key: string) => rows.get(key)?.points };
}
