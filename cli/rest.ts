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

/** The body of an answer. Throws when it is none of success. */
export async function answer<T>(response: Response): Promise<T> {
  if (response.ok) return (await response.json()) as T;
  throw new Error(`${response.url} answered ${response.status}: ${await response.text()}`);
}
