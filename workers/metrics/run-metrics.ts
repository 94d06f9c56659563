import { Counter, type Registry } from 'prom-client';
import type { RunCount } from '../../db/platform-state.ts';
import { type JobKind, type JobState, STAGES_OF } from '../../workflows/messages.ts';
import { show } from './show.ts';

const KINDS = Object.keys(STAGES_OF) as JobKind[];
const FINISHED: readonly JobState[] = ['COMPLETED', 'FAILED', 'CANCELLED'];
const ACTIVE: readonly JobState[] = ['PENDING', 'RUNNING', 'WAITING_APPROVAL', 'PAUSED'];

/** `runs` answers null when it is not known: every count is there from the start, so that a first failure is a rise. */
export function publishRuns(registry: Registry, runs: () => readonly RunCount[] | null): void {
  const counts = (states: readonly JobState[]) => {
    const known = runs();
    if (known === null) return [];
    return KINDS.flatMap((kind) =>
      states.map((state): [{ kind: string; state: string }, number] => {
        const found = known.find((run) => run.kind === kind && run.state === state);
        return [{ kind, state: state.toLowerCase() }, found?.count ?? 0];
      }),
    );
  };
  new Counter({
    name: 'anneal_runs_finished_total',
    help: 'Runs that have ended, by how',
    labelNames: ['kind', 'state'] as const,
    registers: [registry],
    collect() {
      this.reset();
      for (const [labels, count] of counts(FINISHED)) this.inc(labels, count);
    },
  });
  show(registry, 'anneal_runs_active', 'Runs that have not ended', ['kind', 'state'], () => counts(ACTIVE));
}
