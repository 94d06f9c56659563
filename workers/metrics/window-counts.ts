import { Counter, type Registry } from 'prom-client';
import type { JudgedWindow } from '../../db/platform-state.ts';

const VERDICTS = ['drifted', 'stable', 'not_judged'] as const;
const OVERLAP_MS = 60_000; // a report may become visible a while after the time it carries

/**
 * Counts the windows that are reported from now on: from the table alone a count could go down when old reports are
 * deleted.
 */
export function createWindowCounts(registry: Registry) {
  const counter = new Counter({
    name: 'anneal_drift_windows_total',
    help: 'Windows that were compared with the reference, by verdict',
    labelNames: ['endpoint', 'verdict'] as const,
    registers: [registry],
  });
  let seen = new Set<string>();
  const known = new Set<string>();
  let since: Date | null = null;

  const watch = (endpoints: readonly string[]) => {
    for (const endpoint of endpoints.filter((name) => !known.has(name))) {
      known.add(endpoint);
      for (const verdict of VERDICTS) counter.inc({ endpoint, verdict }, 0);
    }
    for (const endpoint of [...known].filter((name) => !endpoints.includes(name))) {
      known.delete(endpoint);
      for (const verdict of VERDICTS) counter.remove({ endpoint, verdict });
    }
  };

  return {
    /** Counts what is new at these endpoints, which are all there are. */
    update: async (
      endpoints: readonly string[],
      windowsSince: (time: Date) => Promise<readonly JudgedWindow[]>,
    ): Promise<void> => {
      watch(endpoints);
      const first = since === null;
      const asked = new Date(Date.now() - OVERLAP_MS);
      const windows = await windowsSince(since ?? asked);
      for (const window of windows.filter((found) => !first && !seen.has(nameOf(found)) && known.has(found.endpoint)))
        counter.inc({ endpoint: window.endpoint, verdict: verdictOf(window) });
      seen = new Set(windows.map(nameOf));
      since = asked;
    },
  };
}

const nameOf = ({ endpoint, sequence }: JudgedWindow) => `${endpoint}/${sequence}`;

const verdictOf = ({ judged, drifted }: JudgedWindow): (typeof VERDICTS)[number] =>
  !judged ? 'not_judged' : drifted ? 'drifted' : 'stable';
