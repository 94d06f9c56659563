import { createHash } from 'node:crypto';
import { createMiddleware } from 'hono/factory';
import type { IdempotencyKeyRepository } from '../../db/idempotency-keys.ts';
import { PlatformError } from '../../lib/errors.ts';
import { invalid, type ApiEnv } from '../router.ts';

const KEY = /^[\x21-\x7e]{1,255}$/;
interface KeptAnswer {
  readonly body: unknown;
  readonly location: string | null;
}

/**
 * For POSTs that start something. The same Idempotency-Key and body get the first answer again (marked by
 * `idempotency-replayed`), another body 422, a key whose first request is in flight 409. Keys belong to their caller.
 */
export const idempotency = (keys: IdempotencyKeyRepository, now: () => Date) =>
  createMiddleware<ApiEnv>(async (c, next) => {
    const key = c.req.header('idempotency-key');
    if (key === undefined) return await next();
    if (!KEY.test(key)) throw badKey('pattern', '1 to 255 printable characters without spaces');
    const route = `${c.get('actor')} ${c.req.method} ${c.req.path.replace(/\/$/, '')}`;
    const bodySha256 = sha256(Buffer.from(await c.req.arrayBuffer()));
    const claim = await keys.claim({ route, key, bodySha256, now: now() });
    switch (claim.state) {
      case 'other_body':
        throw badKey('same_body', 'was used with another body');
      case 'in_flight':
        throw new PlatformError('CONFLICT', 'the first request with this Idempotency-Key is still being answered');
      case 'answered': {
        const { body, location } = claim.body as KeptAnswer;
        if (location !== null) c.header('location', location);
        c.header('idempotency-replayed', 'true');
        return c.json(body as object, claim.status as 202);
      }
      case 'claimed':
        await next();
        // An error started nothing, so the key may be used again.
        if (!c.res.ok) return await keys.release({ route, key });
        await keys.answer({ route, key }, { status: c.res.status, body: await keptAnswer(c.res) });
    }
  });

/** A run id that is the same for every repeat of a request with an Idempotency-Key, even after a crash in between. */
export const runIdOfKey = (actor: string, kind: string, key: string) =>
  sha256(Buffer.from(JSON.stringify([actor, kind, key]))).slice(0, 32);

const keptAnswer = async (response: Response): Promise<KeptAnswer> => ({
  body: await response.clone().json(),
  location: response.headers.get('location'),
});

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

const badKey = (rule: string, message: string) => invalid([{ path: 'Idempotency-Key', rule, message }]);
