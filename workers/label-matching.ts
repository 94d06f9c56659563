import type { LabelRepository } from '../db/labels.ts';
import type { Logger } from '../lib/log.ts';
import { repeat, type Repeating } from '../lib/repeat.ts';

export interface LabelMatchingDeps {
  readonly labels: Pick<LabelRepository, 'matchPending'>;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  readonly everyMs?: number;
}

const EVERY_MS = 2_000;
const AT_ONCE = 1_000;

/** Looks again and again for the predictions of labels that came before them. Several processes may do so at once. */
export function startLabelMatching({ labels, log, everyMs = EVERY_MS }: LabelMatchingDeps): Repeating {
  const match = async () => {
    try {
      for (;;) {
        const { looked, matched, refused } = await labels.matchPending(new Date(), AT_ONCE);
        if (matched > 0) log.info({ matched }, 'labels that waited have their predictions');
        if (refused > 0) log.warn({ refused }, 'labels that waited cannot be those of their predictions');
        if (looked < AT_ONCE) return;
      }
    } catch (err) {
      log.warn({ err }, 'labels that wait were not looked through; it is tried again');
    }
  };
  return repeat(match, everyMs);
}
