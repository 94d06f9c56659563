import type { CandidateStatus, JobStatus, StageStatus, StepState } from '../workflows/messages.ts';

const BAR = 24;
const MARK: Record<StepState, string> = {
  PENDING: '·',
  RUNNING: '▸',
  COMPLETED: '✓',
  FAILED: '✗',
  CANCELLED: '✗',
  SKIPPED: '–',
};

/** The whole state of a run as lines for a terminal: a bar per stage, and one per candidate below the training stage. */
export function progressFrame(status: JobStatus): string {
  const lines = status.stages.flatMap(({ name, state, started_at, finished_at }) => {
    const done =
      state === 'COMPLETED' ? 100 : name === 'training' ? mean(status.candidates) : state === 'RUNNING' ? 50 : 0;
    const line = `${MARK[state]} ${name.padEnd(34)} ${bar(done)} ${seconds(started_at, finished_at)}`;
    return name === 'training' ? [line, ...status.candidates.map(candidateLine)] : [line];
  });
  return [
    ...lines,
    `  ${status.state} ${status.progress} %${status.waiting_for ? ` — waiting for ${status.waiting_for}` : ''}`,
  ].join('\n');
}

/** What changed between two states, one line each, for logs and pipes. */
export function progressLines(before: JobStatus | null, after: JobStatus): string[] {
  const changed = after.stages.filter(({ state }, index) => state !== (before?.stages[index]?.state ?? 'PENDING'));
  // Candidates run inside the training stage: after it began and before it ended.
  const until = changed.findIndex(({ name, state }) => name === 'training' && state !== 'RUNNING');
  const rest = changed.findIndex(({ name }) => ['evaluation', 'registry', 'deployment'].includes(name));
  const cut = until >= 0 ? until : rest >= 0 ? rest : changed.length;
  return [
    ...changed.slice(0, cut).map(stageLine),
    ...changedCandidates(before, after).map(({ id, state, progress, metrics }) => {
      return `  ${id}: ${state} ${progress} %${metric(metrics)}`;
    }),
    ...changed.slice(cut).map(stageLine),
  ];
}

const changedCandidates = (before: JobStatus | null, { candidates }: JobStatus) =>
  candidates.filter(({ state, progress }, index) => {
    const old = before?.candidates[index];
    return state !== (old?.state ?? 'PENDING') || progress !== (old?.progress ?? 0);
  });

const stageLine = ({ name, state, started_at, finished_at }: StageStatus) =>
  `${name}: ${state} ${seconds(started_at, finished_at)}`.trimEnd();

const candidateLine = ({ id, state, progress, metrics }: CandidateStatus) =>
  `  ${MARK[state]} ${id.padEnd(32)} ${bar(progress)}${metric(metrics)}`;

const metric = ({ roc_auc }: Record<string, number>) =>
  roc_auc === undefined ? '' : ` validation ROC AUC ${roc_auc.toFixed(4)}`;

const bar = (percent: number) => {
  const full = Math.round((percent / 100) * BAR);
  return '█'.repeat(full) + '░'.repeat(BAR - full);
};

const mean = (candidates: readonly CandidateStatus[]) =>
  candidates.reduce((sum, { progress }) => sum + progress, 0) / Math.max(1, candidates.length);

const seconds = (from: string | null, to: string | null) =>
  from === null || to === null ? '' : `${((Date.parse(to) - Date.parse(from)) / 1000).toFixed(1)} s`;
