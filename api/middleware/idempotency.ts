import { createHash, createHmac } from 'node:crypto';
import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { createMiddleware } from 'hono/factory';
import { PlatformError } from '../../lib/errors.ts';
import { invalid, type ApiEnv } from '../router.ts';

const KEY = /^[\x21-\x7e]{1,255}$/;
export const IdempotencyHeader = z.object({
  'Idempotency-Key': z.string().regex(KEY, '1 to 255 printable characters without spaces').optional().openapi({
    description: 'Made by the caller, best at random, for one request and its repeats within a day',
  }),
});
interface KeptAnswer {
  readonly body: unknown;
  readonly location: string | null;
}

/**
 * For POSTs that start something. The same Idempotency-Key and body get the first answer again (marked by
 * `idempotency-replayed`), another body 422, a key whose first request is in flight 409. Keys belong to their caller.
 */
export const idempotency = createMiddleware<ApiEnv>(async (c, next) => {
  const given = c.req.header('idempotency-key');
  if (given === undefined) return await next();
  if (!KEY.test(given)) throw badKey('pattern', '1 to 255 printable characters without spaces');
  const keys = c.get('idempotencyKeys');
  const route = `${c.get('actor')} ${c.req.method} ${c.req.path.replace(/\/$/, '')}`;
  const key = sha256(Buffer.from(given));
  // A body may hold a password, and a bare hash could be searched for it; the key itself is not stored.
  const bodySha256 = createHmac('sha256', given)
    .update(Buffer.from(await c.req.arrayBuffer()))
    .digest('hex');
  const claim = await keys.claim({ route, key, bodySha256, now: new Date() });
  switch (claim.state) {
    case 'other_body':
      throw badKey('same_body', 'was used with another body');
    case 'in_flight':
      throw new PlatformError('CONFLICT', 'the first request with this Idempotency-Key is still being answered');
    case 'answered':
      return replay(c, claim.status, claim.body as KeptAnswer);
    case 'claimed':
      await next();
      // An error started nothing, so the key may be used again.
      if (!c.res.ok) return await keys.release({ route, key });
      await keys.answer({ route, key }, { status: c.res.status, body: await keptAnswer(c.res) });
  }
});

function replay(c: Context, status: number, { body, location }: KeptAnswer): Response {
  if (location !== null) c.header('location', location);
  c.header('idempotency-replayed', 'true');
  return body === null ? c.body(null, status as 204) : c.json(body, status as 202);
}

/** A run id that is the same for every repeat of a request with an Idempotency-Key, even after a crash in between. */
export const runIdOfKey = (actor: string, kind: string, key: string) =>
  sha256(Buffer.from(JSON.stringify([actor, kind, key]))).slice(0, 32);

const keptAnswer = async (response: Response): Promise<KeptAnswer> => ({
  body: response.status === 204 ? null : await response.clone().json(),
  location: response.headers.get('location'),
});

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

const badKey = (rule: string, message: string) => invalid([{ path: 'Idempotency-Key', rule, message }]);
