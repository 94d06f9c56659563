import { predictionId } from './prediction-id.ts';
import { linesOf, type TimedRequest } from './prediction-log/lines.ts';
import type { RowBuffers } from './scoring/row-buffers.ts';
import type { ServedSlot } from './served-slot.ts';

/** Scores packed rows of one request: their ids, and what the log must have before they are answered; `features` as `linesOf` takes them. */
export async function scoredLines(
  slot: Pick<ServedSlot, 'scorePacked' | 'texts'>,
  buffers: RowBuffers,
  rows: number,
  features: readonly string[],
  request: TimedRequest,
) {
  const probabilities = await slot.scorePacked(buffers, rows);
  const ids = Array.from(probabilities, () => predictionId());
  return { ids, probabilities, lines: linesOf(slot.texts, ids, features, probabilities, request) };
}
