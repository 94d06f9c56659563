import { stripVTControlCharacters } from 'node:util';
import type { CandidateStatus, JobStatus, StepState } from '../workflows/messages.ts';

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
  const stages = after.stages
    .filter(({ state }, index) => state !== (before?.stages[index]?.state ?? 'PENDING'))
    .map(({ name, state, started_at, finished_at }) => `${name}: ${state} ${seconds(started_at, finished_at)}`);
  const candidates = after.candidates
    .filter(({ state, progress }, index) => {
      const old = before?.candidates[index];
      return state !== (old?.state ?? 'PENDING') || progress !== (old?.progress ?? 0);
    })
    .map((candidate) => `  ${candidate.id}: ${candidate.state} ${candidate.progress} %${metric(candidate)}`);
  return [...candidates, ...stages].map((line) => stripVTControlCharacters(line).trimEnd());
}

const candidateLine = (candidate: CandidateStatus) =>
  `  ${MARK[candidate.state]} ${candidate.id.padEnd(32)} ${bar(candidate.progress)}${metric(candidate)}`;

const metric = ({ metrics }: CandidateStatus) =>
  metrics.roc_auc === undefined ? '' : ` validation ROC AUC ${metrics.roc_auc.toFixed(4)}`;

const bar = (percent: number) => {
  const full = Math.round((percent / 100) * BAR);
  return '█'.repeat(full) + '░'.repeat(BAR - full);
};

const mean = (candidates: readonly CandidateStatus[]) =>
  candidates.reduce((sum, { progress }) => sum + progress, 0) / Math.max(1, candidates.length);

const seconds = (from: string | null, to: string | null) =>
  from === null || to === null ? '' : `${((Date.parse(to) - Date.parse(from)) / 1000).toFixed(1)} s`;
