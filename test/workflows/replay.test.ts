import { readFile } from 'node:fs/promises';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker, type WorkflowBundle } from '@temporalio/worker';
import { beforeAll, expect, test } from 'vitest';

const logger = new DefaultLogger('ERROR', () => undefined);
const bundle = (path: string) => bundleWorkflowCode({ workflowsPath: new URL(path, import.meta.url).pathname, logger });
const recorded = async (name: string) =>
  historyFromJSON(JSON.parse(await readFile(new URL(`histories/${name}.json`, import.meta.url), 'utf8')));

let current: WorkflowBundle;
beforeAll(async () => {
  Runtime.install({ logger });
  current = await bundle('../../workflows/index.ts');
});

test.each([
  'success',
  'failure',
  'cancel',
  'cancel-left',
  'deployment',
  'batch',
  'batch-continued',
  'watch',
  'response',
  'retraining',
  'refused-alert',
])('a recorded run (%s) replays on the workflows of today', async (name) => {
  await Worker.runReplayHistory({ workflowBundle: current }, await recorded(name));
});

test('the replay notices commands in another order', async () => {
  const workflowBundle = await bundle('reordered/index.ts');
  await expect(Worker.runReplayHistory({ workflowBundle }, await recorded('success'))).rejects.toThrow(
    /nondeterminism/i,
  );
});
