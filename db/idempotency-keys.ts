import { and, eq, isNull, lt } from 'drizzle-orm';
import type { Database } from './connect.ts';
import { idempotencyKeys } from './schema/idempotency-keys.ts';

export interface IdempotencyClaim {
  readonly route: string;
  readonly key: string;
  readonly bodySha256: string;
  readonly now: Date;
}
export type ClaimResult =
  | { readonly state: 'claimed' }
  | { readonly state: 'in_flight' }
  | { readonly state: 'other_body' }
  | { readonly state: 'answered'; readonly status: number; readonly body: unknown };
type KeyOf = Pick<IdempotencyClaim, 'route' | 'key'>;
export type IdempotencyKeyRepository = ReturnType<typeof createIdempotencyKeyRepository>;

// A process that died with a request in flight must not block its key for ever.
const CLAIM_LASTS_MS = 5 * 60_000;

export const createIdempotencyKeyRepository = (db: Database) => ({
  /** Of concurrent requests with one key, one is `claimed`; it must `answer` or `release`. */
  claim: async ({ now, ...claim }: IdempotencyClaim): Promise<ClaimResult> => {
    const abandoned = and(
      isNull(idempotencyKeys.responseStatus),
      lt(idempotencyKeys.createdAt, new Date(now.getTime() - CLAIM_LASTS_MS)),
      eq(idempotencyKeys.bodySha256, claim.bodySha256),
    );
    const claimed = await db
      .insert(idempotencyKeys)
      .values({ ...claim, createdAt: now })
      .onConflictDoUpdate({
        target: [idempotencyKeys.route, idempotencyKeys.key],
        set: { createdAt: now },
        setWhere: abandoned,
      })
      .returning({ key: idempotencyKeys.key });
    if (claimed.length === 1) return { state: 'claimed' };
    const [held] = await db.select().from(idempotencyKeys).where(isKey(claim));
    if (held && held.bodySha256 !== claim.bodySha256) return { state: 'other_body' };
    // Released between the two statements counts as in flight: the caller tries again.
    if (!held || held.responseStatus === null) return { state: 'in_flight' };
    return { state: 'answered', status: held.responseStatus, body: held.responseBody };
  },

  /** Keeps the answer for repeats. */
  answer: async (key: KeyOf, { status, body }: { readonly status: number; readonly body: unknown }): Promise<void> => {
    await db.update(idempotencyKeys).set({ responseStatus: status, responseBody: body }).where(isKey(key));
  },

  /** Gives the key back: the request started nothing. */
  release: async (key: KeyOf): Promise<void> => {
    await db.delete(idempotencyKeys).where(and(isKey(key), isNull(idempotencyKeys.responseStatus)));
  },

  /** Forgets keys made before a time. */
  prune: async (before: Date): Promise<void> => {
    await db.delete(idempotencyKeys).where(lt(idempotencyKeys.createdAt, before));
  },
});

const isKey = ({ route, key }: KeyOf) => and(eq(idempotencyKeys.route, route), eq(idempotencyKeys.key, key));
