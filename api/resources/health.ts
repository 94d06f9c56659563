import { z } from '@hono/zod-openapi';
import { type Checks, failingChecks } from '../../lib/health-server.ts';

export const Health = z
  .object({
    status: z.enum(['ready', 'not_ready']),
    failing: z.array(z.string()).openapi({ description: 'What cannot be reached', example: ['temporal'] }),
  })
  .openapi('Health');

/** 200 when everything the process needs answers within a second, else 503. */
export async function checkHealth(checks: Checks) {
  const failing = await failingChecks(checks);
  if (failing.length === 0) return { status: 200 as const, body: { status: 'ready' as const, failing } };
  return { status: 503 as const, body: { status: 'not_ready' as const, failing } };
}
