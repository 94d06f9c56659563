import { setTimeout as delay } from 'node:timers/promises';
import { migrate } from '../db/migrate.ts';
import { sqlStateOf } from '../db/sql-state.ts';
import { openS3Store } from '../lib/artifact-store/open.ts';
import { loadConfig, required, type Config } from '../lib/config.ts';
import { createLogger } from '../lib/log.ts';
import { ensureSearchAttributes } from '../lib/temporal-search-attributes.ts';
import { SEARCH_ATTRIBUTES } from '../workflows/messages.ts';

const WAIT_MS = 60_000;
const AGAIN_AFTER_MS = 1000;
// A SQLSTATE: Postgres itself refuses, and for another reason than that it is just starting (57P03).
const REFUSAL = /^(?=.*\d)(?!57P03)[0-9A-Z]{5}$/;

/** Makes tables, bucket and search attributes where they are missing, and ends. Servers that start later are waited for. */
await main(loadConfig());

async function main(config: Config): Promise<void> {
  const log = createLogger({ service: 'migrate', level: config.LOG_LEVEL });
  const deadline = Date.now() + WAIT_MS;
  try {
    for (const [what, make] of Object.entries(stepsOf(config))) {
      await untilMade(make, deadline, (err) => log.warn({ err }, `${what}: not yet`));
      log.info(`${what}: there`);
    }
  } catch (err) {
    log.fatal({ err }, 'what the platform needs was not made');
    process.exitCode = 1;
  }
}

async function untilMade(make: () => Promise<void>, deadline: number, notYet: (error: unknown) => void): Promise<void> {
  for (;;) {
    try {
      return await make();
    } catch (error) {
      if (Date.now() > deadline || REFUSAL.test(sqlStateOf(error))) throw error;
      notYet(error);
      await delay(AGAIN_AFTER_MS);
    }
  }
}

function stepsOf(config: Config): Record<string, () => Promise<void>> {
  const searchAttributes = Object.values(SEARCH_ATTRIBUTES);
  const address = required(config, 'TEMPORAL_ADDRESS');
  return {
    tables: () => migrate(required(config, 'DATABASE_URL')),
    bucket: async () => {
      if (config.S3_ENDPOINT !== undefined) await openS3Store(config).ensureBucket();
    },
    'search attributes': () =>
      ensureSearchAttributes({ address, namespace: config.TEMPORAL_NAMESPACE, searchAttributes }),
  };
}
