import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { connect, type Connection } from '../../db/connect.ts';
import { migrate } from '../../db/migrate.ts';
import { createRateLimitRepository } from '../../db/rate-limits.ts';
import type { EmbeddedPostgres } from '../../lib/embedded-postgres.ts';
import { createLogger } from '../../lib/log.ts';
import type { SharedRate } from '../../lib/rate-limit/shared-rate.ts';
import { startServingRates } from '../../serving/rates.ts';
import { startTestPostgres } from '../platform.ts';

let database: EmbeddedPostgres;
let connection: Connection;
beforeAll(async () => {
  database = await startTestPostgres();
  await migrate(database.url);
  connection = connect(database.url);
});
afterAll(async () => {
  await connection?.close();
  await database?.stop();
});

/** The rates of one serving process. */
function startRates(perMinute: number) {
  const { add } = createRateLimitRepository(connection.db);
  const { rates, stop } = startServingRates({
    perMinute,
    add,
    log: createLogger({ service: 'test', level: 'silent' }),
  });
  onTestFinished(stop);
  return { user: rates.user as SharedRate, address: rates.address as SharedRate };
}

test('what one serving process lets through, another learns without a request waiting for it', async () => {
  const [first, second] = [startRates(1000), startRates(1000)];
  for (let request = 0; request < 900; request++) first.user.take('ada');
  expect(second.user.take('ada')).toMatchObject({ allowed: true, remaining: 999 });
  const rest = () => second.user.take('ada', 0).remaining;
  await vi.waitFor(() => expect(rest()).toBe(99), { timeout: 60_000, interval: 100 });
  expect(second.user.take('ada', 100).allowed).toBe(false);
  expect(second.user.take('bob', 50).allowed).toBe(true);
  expect(second.address.take('198.51.100.1', 5000)).toMatchObject({ allowed: true, remaining: 0 });
});
