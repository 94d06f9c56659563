import type { Context } from 'hono';
import { createMiddleware } from 'hono/factory';
import type { Operation } from '../../auth/guard.ts';
import type { AuditEvent, AuditLog } from '../../db/audit-log.ts';
import { PlatformError } from '../../lib/errors.ts';
import { answerProblem, toProblem } from '../../lib/http/problem.ts';
import type { Logger } from '../../lib/log.ts';
import type { ApiEnv } from '../router.ts';

/**
 * Records who did what: requests to operations that are audited, and those that a credential did not suffice for. The row
 * is there before the answer leaves; without a row the answer is 503, and the log has what the row would have held.
 */
export const audit = (auditLog: Pick<AuditLog, 'append'>, log: Logger) =>
  createMiddleware<ApiEnv>(async (c, next) => {
    await next();
    const operation = c.get('operation');
    if (!operation || !isRecorded(c, operation)) return;
    const event = eventOf(c, operation);
    try {
      const { sequence, sha256 } = await auditLog.append(event);
      log.info({ audit: `${sequence}:${sha256}` }, 'recorded'); // where logs are kept elsewhere, so is the chain's head
    } catch (error) {
      log.error({ err: error, audit: event }, 'could not be recorded');
      const unsent = c.res.body;
      c.res = answerProblem(c, toProblem(new PlatformError('UNAVAILABLE', NOT_RECORDED), c.get('requestId')));
      await unsent?.cancel();
    }
  });

const NOT_RECORDED = 'the request may have been carried out, but could not be recorded; see what became of it';

function isRecorded(c: Context<ApiEnv>, { audited, isPublic }: Operation): boolean {
  const { status } = c.res;
  // One that the handler had taken up is a lockout; the rest is a flood that rate limits have just stopped.
  if (status === 429) return audited && c.get('auditDetail') !== undefined;
  if ((status === 401 || status === 403) && !isPublic) return Boolean(c.req.header('authorization'));
  return audited && c.req.raw.method !== 'HEAD';
}

function eventOf(c: Context<ApiEnv>, { id: action, path: pattern }: Operation): AuditEvent {
  const { status, headers } = c.res;
  const location = headers.get('location')?.split('?')[0];
  const created = location === undefined ? undefined : nameOf(location);
  const addressed = addressedBy(c.req.path.replace(/\/$/, ''), pattern);
  // POST /train is about the run it made, POST /runs/r1/cancel about `runs/r1`.
  const isCollection = !pattern.includes('{');
  const object = isCollection ? (created ?? addressed) : addressed;
  return {
    actor: c.get('actor'),
    action,
    object: object.slice(0, MAX_OBJECT),
    status,
    address: c.get('clientAddress') ?? null,
    requestId: c.get('requestId'),
    detail: {
      ...c.get('auditDetail'),
      ...(c.error instanceof PlatformError ? { reason: c.error.message.slice(0, MAX_REASON) } : {}),
      ...(created === undefined || created === object ? {} : { created }),
      ...(headers.has('idempotency-replayed') ? { replayed: true } : {}),
    },
  };
}

/** The path without what follows the pattern's last parameter: that is the action's name. */
function addressedBy(path: string, pattern: string): string {
  const verbs = pattern.includes('{') ? pattern.slice(pattern.lastIndexOf('}') + 1).split('/').length - 1 : 0;
  const parts = path.split('/');
  return nameOf(parts.slice(0, parts.length - verbs).join('/'));
}

const MAX_OBJECT = 300;
const MAX_REASON = 200;
const nameOf = (path: string) => path.replace(/^\/api\/v1\/(auth\/)?/, '');
