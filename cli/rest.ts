import { type ErrorCode, type ErrorDetail, PlatformError } from '../lib/errors.ts';
import type { Fetch } from './session.ts';

/** JSON requests to one server. Each throws what the server said unless it says yes. */
export function createRest(call: Fetch, origin: string) {
  const send =
    (method: string) =>
    async <T = unknown>(path: string, body: unknown): Promise<T> =>
      answer<T>(
        await call(`${origin}${path}`, {
          method,
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        }),
      );
  return {
    get: async <T>(path: string): Promise<T> => answer<T>(await call(`${origin}${path}`)),
    post: send('POST'),
    put: send('PUT'),
  };
}
export type Rest = ReturnType<typeof createRest>;

/** The body of an answer. Throws what it says instead as a PlatformError when it is none of success. */
export async function answer<T>(response: Response): Promise<T> {
  if (response.ok) return (await response.json()) as T;
  const { code, detail, errors = [] } = (await response.json().catch(() => ({}))) as Problem;
  const { origin, pathname } = new URL(response.url);
  const said = [detail ?? response.statusText, ...errors.map(({ path, message }) => `${path}: ${message}`)].join('; ');
  throw new PlatformError(code ?? 'UNAVAILABLE', `${origin}${pathname} answered ${response.status}: ${said}`, { details: errors }); // prettier-ignore
}

/** As the servers' errors are (lib/http/problem.ts). */
interface Problem {
  readonly code?: ErrorCode;
  readonly detail?: string;
  readonly errors?: readonly ErrorDetail[];
}
