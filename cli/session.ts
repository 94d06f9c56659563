import { type Config } from '../lib/config.ts';
import { PlatformError } from '../lib/errors.ts';
import { knownAdminPassword } from './secrets.ts';

/**
 * What a command of this machine shows the API: ANNEAL_TOKEN, or an access token of the local administrator. Throws
 * UNAUTHENTICATED, saying what to do, when there is neither.
 */
export async function tokenFor(config: Config, api: string): Promise<string> {
  if (config.ANNEAL_TOKEN !== undefined) return config.ANNEAL_TOKEN;
  const password = knownAdminPassword(config);
  if (password !== undefined) return await logIn(api, config.ADMIN_USERNAME, password);
  throw new PlatformError(
    'UNAUTHENTICATED',
    `set ANNEAL_TOKEN to an access token or API key: ${config.ANNEAL_HOME} holds no administrator's password`,
  );
}

/** An access token for a user's name and password. Throws UNAUTHENTICATED (refused) or UNAVAILABLE (no API there). */
export async function logIn(api: string, username: string, password: string): Promise<string> {
  const response = await post(`${api}/api/v1/auth/login`, { username, password });
  if (response.ok) return ((await response.json()) as { access_token: string }).access_token;
  const { detail = response.statusText } = (await response.json().catch(() => ({}))) as { detail?: string };
  throw new PlatformError(
    'UNAUTHENTICATED',
    `the API does not let '${username}' in: ${detail}. If the password was changed, set ADMIN_PASSWORD or ANNEAL_TOKEN`,
  );
}

type Request = Omit<RequestInit, 'headers'> & { readonly headers?: Readonly<Record<string, string>> };
export type Fetch = (url: string, request?: Request) => Promise<Response>;

/** `fetch` that shows the token. Throws UNAVAILABLE where nothing answers. */
export const fetchWith =
  (token: string): Fetch =>
  (url, { headers, ...request } = {}) =>
    reach(url, { ...request, headers: { ...headers, authorization: `Bearer ${token}` } });

const post = (url: string, body: unknown) =>
  reach(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });

async function reach(url: string, request: RequestInit): Promise<Response> {
  try {
    return await fetch(url, request);
  } catch (cause) {
    if (request.signal?.aborted) throw cause;
    const hint = 'start it with `npm start`, or say with ANNEAL_URL where it is';
    throw new PlatformError('UNAVAILABLE', `nothing answers at ${new URL(url).origin}; ${hint}`, { cause });
  }
}
