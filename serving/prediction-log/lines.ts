import type { AnswerTexts, LoggedRequest } from '../scoring/answer-texts.ts';

export interface TimedRequest extends LoggedRequest {
  /** `performance.now()` at its arrival. */
  readonly arrivedMs: number;
}

/** Microseconds since the request arrived. */
export const latencyOf = ({ arrivedMs }: TimedRequest): number => Math.round((performance.now() - arrivedMs) * 1000);

/** Log lines of several rows of one request; `rows` are the features of each, by name. */
export function linesOf(
  texts: AnswerTexts,
  ids: readonly string[],
  rows: readonly unknown[],
  probabilities: ArrayLike<number>,
  request: TimedRequest,
): string {
  const [suffix, latency] = [texts.logSuffix(request), latencyOf(request)];
  return ids
    .map((id, index) => texts.logLine(id, JSON.stringify(rows[index]), probabilities[index]!, latency, suffix))
    .join('');
}
