// Node, postgres.js and Postgres itself (shutting down, starting up, too many connections).
const NO_CONNECTION = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'ETIMEDOUT',
  'CONNECT_TIMEOUT',
  'CONNECTION_CLOSED',
  'CONNECTION_DESTROYED',
  'CONNECTION_ENDED',
  '57P01',
  '57P02',
  '57P03',
  '53300',
]);
// gRPC: DEADLINE_EXCEEDED, UNAVAILABLE.
const NO_ANSWER = new Set<unknown>([4, 14]);

/** Did this fail because Postgres, Temporal or the artifact store could not be reached? Looks at the causes too. */
export function isUnavailable(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const { code } = cause as { code?: unknown };
    if (code === 'UNAVAILABLE' || NO_ANSWER.has(code) || NO_CONNECTION.has(String(code))) return true;
  }
  return false;
}
