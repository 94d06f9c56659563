import type { Context } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import { createMiddleware } from 'hono/factory';
import { readApiKey } from '../../auth/api-key-format.ts';
import { callerOf, unauthenticated } from '../../auth/guard.ts';
import type { Authenticate, Principal } from '../../auth/principal.ts';
import type { Sessions } from '../../auth/sessions.ts';
import type { ApiEnv } from '../router.ts';
import type { AuthDeps } from '../routes/auth.ts';
import { takeAnonymous } from './anonymous-rate.ts';

export interface BrowserIdentityDeps {
  readonly authenticate: Authenticate;
  readonly auth: Pick<AuthDeps, 'loginGuard' | 'refreshAccess' | 'tokens'> & {
    readonly sessions: Pick<Sessions, 'accessToken'>;
  };
}
interface Basic {
  readonly user: string;
  readonly password: string;
}
const COOKIE = 'anneal_reports';
const CHALLENGE = 'Basic realm="Anneal", charset="UTF-8"';
// As long as a name and a password may be.
const MAX_BASIC_CHARACTERS = 2048;

/**
 * How a browser proves who uses it, on the routes of pages below `path` alone: a bearer token as everywhere, or HTTP Basic
 * with an API key as the password, or with name and password, which are checked once: a cookie then holds an access token.
 * That it is never sent from another site's page, and that pages change nothing, is why no form can be forged with it.
 */
export const browserIdentity = (deps: BrowserIdentityDeps, path: string) =>
  createMiddleware<ApiEnv>(async (c, next) => {
    c.set('identity', () => identify(c, deps, path));
    await next();
    if (c.res.status === 401) c.header('www-authenticate', CHALLENGE);
  });

async function identify(c: Context<ApiEnv>, deps: BrowserIdentityDeps, path: string): Promise<Principal | null> {
  const header = c.req.header('authorization');
  const remembered = await rememberedCaller(c, deps.authenticate);
  if (header === undefined) return remembered;
  if (!/^Basic /i.test(header)) return await callerOf(header, deps.authenticate);
  const given = readBasic(header);
  if (readApiKey(given.password)) return await deps.authenticate(given.password);
  // Browsers go on sending what was typed in, beside the cookie.
  if (remembered?.user === given.user) return remembered;
  return await logIn(c, deps, path, given);
}

/** Who the cookie belongs to. One that does not hold any more is as none. */
async function rememberedCaller(c: Context<ApiEnv>, authenticate: Authenticate): Promise<Principal | null> {
  const token = getCookie(c, COOKIE);
  return token === undefined ? null : await authenticate(token).catch(() => null);
}

/** As POST /api/v1/auth/login: the same rate, the same backoff, and a row in the audit log. */
async function logIn(c: Context<ApiEnv>, deps: BrowserIdentityDeps, path: string, { user, password }: Basic) {
  const { loginGuard, sessions, refreshAccess, tokens } = deps.auth;
  c.set('operation', { id: 'logInToPages', path: '/', isPublic: false, audited: true });
  await takeAnonymous(c);
  c.set('auditDetail', { username: user });
  const token = await loginGuard(user, c.get('clientAddress'), () => sessions.accessToken(user, password));
  // Whatever another process changed about this user must not make the new token look old here.
  await refreshAccess();
  setCookie(c, COOKIE, token, {
    path,
    httpOnly: true,
    sameSite: 'Strict',
    secure: c.req.header('x-forwarded-proto') === 'https',
    maxAge: tokens.lifetimeSeconds.access,
  });
  return await deps.authenticate(token);
}

/** RFC 7617, in UTF-8. Throws UNAUTHENTICATED. */
function readBasic(header: string): Basic {
  const encoded = header.slice('Basic '.length).trim();
  const text = encoded.length > MAX_BASIC_CHARACTERS ? '' : Buffer.from(encoded, 'base64').toString();
  const colon = text.indexOf(':');
  if (colon < 1 && !text.startsWith(':')) throw unauthenticated();
  return { user: text.slice(0, colon), password: text.slice(colon + 1) };
}
