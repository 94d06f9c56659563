import { mkdir, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { ApplicationFailure } from '@temporalio/common';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { statusQuery } from '../../workflows/messages.ts';
import { brokenContract, endlessTraining, fakeActivities, lostTraining } from './fake-activities.ts';
import { retraining, startJob, startTemporal, withWorkers } from './temporal.ts';

// Records the histories that replay.test.ts replays: `node test/workflows/record-histories.ts`. Run it only when a
// change of the workflows is meant to break with running ones; otherwise such a change needs `patched`. Names after it
// record only those.

const only = process.argv.slice(2);
const folder = new URL('histories/', import.meta.url);
const { client, native, stop } = await startTemporal();
await mkdir(folder, { recursive: true });

await record('success', {});
await record('failure', { makeDataset: brokenContract });
await record('cancel', { trainCandidate: endlessTraining }, { cancel: true });
const { trainCandidate, away, back } = lostTraining();
await record('cancel-left', { trainCandidate }, { cancel: true, away, back });
await record('deployment', {}, { workflow: 'deployModel' });
await record('batch', {}, { workflow: 'batchPredict' });
const planBatch = () => Promise.resolve({ plan: 'plan', rows: 4_000_000, chunks: 80 });
await record('batch-continued', { planBatch }, { workflow: 'batchPredict' });
await record('watch', {}, { workflow: 'watchDrift' });
const judgeWindow = () => Promise.resolve({ retraining, deliveries: [1, 2] });
await record('response', { judgeWindow }, { workflow: 'watchDrift' });
await record('retraining', { endRetraining: () => Promise.resolve([3]) }, { workflow: 'retrain' });
const refused = () => Promise.reject(ApplicationFailure.nonRetryable('the webhook answered 404', 'INVALID'));
await record('refused-alert', { sendAlert: refused }, { workflow: 'deliverAlert' });
await stop();

async function record(
  name: string,
  replace: Parameters<typeof fakeActivities>[0],
  { cancel = false, away = Promise.resolve(), back = () => {}, workflow = 'trainModel' } = {},
) {
  if (only.length > 0 && !only.includes(name)) return;
  await withWorkers(native, fakeActivities(replace).activities, async () => {
    const handle = await startJob(client, workflow);
    while (cancel && (await handle.query(statusQuery)).stage !== 'training')
      await new Promise((r) => setTimeout(r, 100));
    await away;
    if (cancel) await handle.cancel();
    await handle.result().catch(() => undefined);
    back();
    const history = historyToJSON(await handle.fetchHistory());
    await writeFile(new URL(`${name}.json`, folder), `${withoutMachine(history)}\n`);
  });
}

/** Who recorded it, and where, is nobody's business. */
function withoutMachine(history: string): string {
  const plain = history.replaceAll(hostname(), 'recorder');
  return JSON.stringify(JSON.parse(plain, (key, value: unknown) => (key === 'stackTrace' ? '' : value)));
}
