import { setTimeout as delay } from 'node:timers/promises';
import { connect } from '../../../db/connect.ts';
import { createPredictionRepository } from '../../../db/predictions.ts';
import { createLogger } from '../../../lib/log.ts';
import { predictionId } from '../../../serving/prediction-id.ts';
import { startPredictionLog } from '../../../serving/prediction-log/start.ts';
import { exampleLine } from './examples.ts';

// Commits without end and prints each acknowledged id, until it is killed: `node … <folder> <database URL>`.
const [folder, databaseUrl] = process.argv.slice(2) as [string, string];
const { db } = connect(databaseUrl, { max: 1 });
const running = startPredictionLog({
  ...{ folder, maxBytes: 2 ** 30, whenFull: 'refuse', syncMs: 1000 },
  insert: createPredictionRepository(db).insert,
  log: createLogger({ service: 'test', level: 'silent' }),
});
for (;;) {
  const ids = Array.from({ length: 8 }, () => predictionId());
  await Promise.all(
    ids.map(async (id) => {
      await running.log.commit(exampleLine({ id }));
      process.stdout.write(`${id}\n`);
    }),
  );
  await delay(1);
}
