import { setTimeout as delay } from 'node:timers/promises';
import type { AccessKey, AccessState, AccessUser } from '../db/access.ts';
import { PlatformError } from '../lib/errors.ts';
import type { KeptJson } from '../lib/kept-json.ts';
import type { Logger } from '../lib/log.ts';
import { repeat } from '../lib/repeat.ts';
import { createSubscription, type Listen } from '../lib/subscription.ts';

const FIRST_ANSWER_MS = 2_000;
const GOODBYE_MS = 1_000;

export interface AccessDirectoryDeps {
  /** null when nothing has changed since that revision. */
  readonly load: (knownRevision: number | null) => Promise<AccessState | null>;
  readonly listen: Listen;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  /** What this process knew last time, for a start without the database. */
  readonly memory?: Pick<KeptJson<AccessState>, 'load' | 'save'>;
  readonly pollMs?: number;
}
export interface KnownKey extends AccessKey {
  readonly secretHash: Buffer;
  readonly expiresMs: number;
}
export type AccessDirectory = Awaited<ReturnType<typeof startAccessDirectory>>;

/**
 * Who may call, held in memory, so that checking a caller asks no database. Hears of changes at once when notified, else
 * by polling; while the database is away it keeps what it knows. Returns when the database has answered, or after 2 s
 * with what was known last time.
 */
export async function startAccessDirectory({ load, listen, log, memory, pollMs = 2_000 }: AccessDirectoryDeps) {
  let users: ReadonlyMap<string, AccessUser> = new Map();
  let keys: ReadonlyMap<string, KnownKey> = new Map();
  // Of the database: what was remembered does not count.
  let revision: number | null = null;
  let isInformed = false;
  let reachable: boolean | null = null;

  const take = (state: AccessState) => {
    users = new Map(state.users.map((user) => [user.name, user]));
    keys = new Map(state.apiKeys.map((key) => [key.id, toKnownKey(key)]));
    isInformed = true;
  };
  // To turn callers away as unknown would be a lie.
  const requireInformed = () => {
    if (!isInformed) throw new PlatformError('UNAVAILABLE', 'who may call is not known before the database answers');
  };
  const note = (now: boolean, error?: unknown) => {
    if (now === reachable) return;
    reachable = now;
    if (!now) log.warn({ err: error }, 'the database is away; callers are checked against what is known');
  };
  const loadOnce = async () => {
    const state = await load(revision);
    if (!state) return;
    take(state);
    revision = state.revision;
    await memory?.save(state).catch((err: unknown) => log.warn({ err }, 'who may call could not be kept on disk'));
  };
  let running: Promise<void> | null = null;
  let queued: Promise<void> | null = null;
  // Joins a load that has not begun, never one that has: it may have read before the change.
  const refresh = (): Promise<void> =>
    (queued ??= (async () => {
      await running?.catch(() => undefined);
      queued = null;
      await (running = loadOnce().finally(() => (running = null)));
    })());
  const subscription = createSubscription(listen, () => polling.wake());
  let tried = () => {};
  const firstTry = new Promise<void>((resolve) => (tried = resolve));
  const polling = repeat(async () => {
    try {
      if (!subscription.isOpen() || !reachable) await subscription.renew();
      await refresh();
      note(true);
    } catch (error) {
      note(false, error);
    }
    tried();
  }, pollMs);

  await Promise.race([firstTry, delay(FIRST_ANSWER_MS, undefined, { ref: false })]);
  const remembered = revision === null ? await memory?.load() : null;
  // The database may have answered meanwhile.
  if (remembered && revision === null) take(remembered);

  return {
    /** Throws UNAVAILABLE while neither the database nor the memory has told of anybody. */
    user: (name: string): AccessUser | undefined => (requireInformed(), users.get(name)),
    /** Throws as `user` does. */
    apiKey: (id: string): KnownKey | undefined => (requireInformed(), keys.get(id)),
    /**
     * What it knows afterwards includes every change committed before the call, unless the database is away: then it
     * goes on trying. Never throws.
     */
    refresh: () => refresh().catch((error: unknown) => note(false, error)),
    /** Never throws: the database may be away. */
    stop: async (): Promise<void> => {
      const goodbye = async () => {
        await polling.stop();
        await subscription.end();
      };
      await Promise.race([goodbye(), delay(GOODBYE_MS, undefined, { ref: false })]);
    },
  };
}

const toKnownKey = (key: AccessKey): KnownKey => ({
  ...key,
  secretHash: Buffer.from(key.secretSha256, 'hex'),
  expiresMs: key.expiresAt === null ? Infinity : Date.parse(key.expiresAt),
});
