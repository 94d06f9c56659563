import type { ApiKeyRepository } from '../db/api-keys.ts';
import { repeat } from '../lib/repeat.ts';

/** Notes when API keys were used: together, once a minute, and never in the way of a request. */
export function createKeyUses(write: ApiKeyRepository['noteUses'], everyMs = 60_000) {
  let latest = new Map<string, number>();
  const flush = async () => {
    const uses = latest;
    if (uses.size === 0) return;
    latest = new Map();
    try {
      await write([...uses].map(([id, at]) => ({ id, at: new Date(at) })));
    } catch {
      // The database is away: with the next ones.
      latest = new Map([...uses, ...latest]);
    }
  };
  const flushing = repeat(flush, everyMs);
  return {
    used: (id: string): void => void latest.set(id, Date.now()),
    /** Writes what is left. */
    stop: async (): Promise<void> => {
      await flushing.stop();
      await flush();
    },
  };
}
