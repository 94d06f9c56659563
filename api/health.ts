import { z } from '@hono/zod-openapi';

/** Named checks of what a process needs; each answers or throws. */
export type Checks = Readonly<Record<string, () => Promise<unknown>>>;

export const Health = z
  .object({
    status: z.enum(['ok', 'unavailable']),
    checks: z.record(z.string(), z.enum(['ok', 'unavailable'])),
  })
  .openapi('Health');

const CHECK_MS = 2_000;

/** Runs all checks at once; one that does not answer within 2 s is unavailable. */
export async function checkHealth(checks: Checks): Promise<z.output<typeof Health>> {
  const names = Object.keys(checks);
  const results = await Promise.all(names.map((name) => holds(checks[name]!)));
  const state = (ok: boolean) => (ok ? ('ok' as const) : ('unavailable' as const));
  return {
    status: state(names.length > 0 && results.every(Boolean)),
    checks: Object.fromEntries(names.map((name, index) => [name, state(results[index]!)])),
  };
}

async function holds(check: () => Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), CHECK_MS);
  });
  try {
    return await Promise.race([check().then(() => true), tooLate]);
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}
