import type { AnswerTexts, LoggedRequest } from '../scoring/answer-texts.ts';

export interface TimedRequest extends LoggedRequest {
  /** `performance.now()` at its arrival. */
  readonly arrivedMs: number;
}

/** Microseconds since the request arrived. */
export const latencyOf = ({ arrivedMs }: TimedRequest): number => Math.round((performance.now() - arrivedMs) * 1000);

/** The most rows of a request in one line of the log. */
export const ROWS_PER_LINE = 250;

/** Log lines of several rows of one request; `features` has, without line breaks, a JSON array for every ROWS_PER_LINE of them. */
export function linesOf(
  texts: AnswerTexts,
  ids: readonly string[],
  features: readonly string[],
  probabilities: Float32Array,
  request: TimedRequest,
): string[] {
  const [suffix, latency] = [texts.logSuffix(request), latencyOf(request)];
  return features.map((rows, line) => {
    const [from, to] = [line * ROWS_PER_LINE, (line + 1) * ROWS_PER_LINE];
    return texts.logLines(ids.slice(from, to), rows, probabilities.slice(from, to), latency, suffix);
  });
}
