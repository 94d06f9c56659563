import type { AnswerTexts, LoggedRequest } from '../scoring/answer-texts.ts';

export interface TimedRequest extends LoggedRequest {
  /** `performance.now()` at its arrival. */
  readonly arrivedMs: number;
}

/** Microseconds since the request arrived. */
export const latencyOf = ({ arrivedMs }: TimedRequest): number => Math.round((performance.now() - arrivedMs) * 1000);

/** Log lines of several rows of one request; `features` are those of each by name, as JSON without a line break. */
export function linesOf(
  texts: AnswerTexts,
  ids: readonly string[],
  features: readonly string[],
  probabilities: ArrayLike<number>,
  request: TimedRequest,
): string {
  const [suffix, latency] = [texts.logSuffix(request), latencyOf(request)];
  return ids.map((id, row) => texts.logLine(id, features[row]!, probabilities[row]!, latency, suffix)).join('');
}
