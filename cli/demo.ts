import { Readable } from 'node:stream';
import { createLogUpdate } from 'log-update';
import { exampleCustomer } from '../pipelines/churn.ts';
import { sampleCsv } from '../pipelines/sample-data.ts';
import type { JobStatus } from '../workflows/messages.ts';
import { progressFrame, progressLines } from './progress-view.ts';
import { answer, createRest } from './rest.ts';
import { serverEvents } from './server-events.ts';
import { fetchWith, type Fetch } from './session.ts';

const ROWS = 10_000;
const SEED = 7;

export interface DemoUrls {
  readonly api: string;
  readonly serving: string;
  readonly temporalUi: string | null;
  /** Temporal namespace of the runs. */
  readonly namespace: string;
}

/**
 * What a user would do, over REST only: upload a CSV, train, watch, wait for the deployment, score a customer. The token
 * must allow all of that.
 */
export async function runDemo(
  urls: DemoUrls,
  token: string,
  terminal: NodeJS.WriteStream = process.stdout,
): Promise<void> {
  const say = (line: string) => void terminal.write(`${line}\n`);
  const call = fetchWith(token);
  const api = createRest(call, urls.api);
  const dataset = await uploadCsv(call, urls.api);
  say(`Uploaded ${ROWS} churn rows as dataset version ${dataset}`);
  const started = performance.now();
  const run = { pipeline: 'churn', dataset_version: dataset };
  const { job_id: runId } = await api.post<{ job_id: string }>('/api/v1/train', run);
  say(`Started training run ${runId}\n`);
  const status = await followRun(call, urls.api, runId, terminal);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  say(
    `\n${status.model!.uri} is deployed, ${seconds} s after POST /train. Test ROC AUC ${status.metrics.roc_auc!.toFixed(4)}\n`,
  );
  say(`A customer scored at ${urls.serving}/api/v1/predict/churn:`);
  const serving = createRest(call, urls.serving);
  say(JSON.stringify(await serving.post('/api/v1/predict/churn', exampleCustomer), null, 2));
  say(`\nAPI docs           ${urls.api}/docs`);
  if (urls.temporalUi)
    say(`This run           ${urls.temporalUi}/namespaces/${urls.namespace}/workflows/${encodeURIComponent(runId)}`);
  say(
    `Score a customer   curl -s ${urls.serving}/predict -H "authorization: Bearer $(npx anneal token)" -H 'content-type: application/json' -d '${JSON.stringify(exampleCustomer)}'\n`,
  );
}

async function uploadCsv(call: Fetch, api: string): Promise<string> {
  const response = await call(`${api}/api/v1/datasets?name=churn`, {
    method: 'POST',
    headers: { 'content-type': 'text/csv' },
    body: Readable.toWeb(Readable.from(sampleCsv('churn', ROWS, SEED))) as ReadableStream,
    duplex: 'half',
  });
  return (await answer<{ id: string }>(response)).id;
}

/** Shows each change of a run: redrawn bars on a terminal, plain lines elsewhere. Throws unless it completes. */
export async function followRun(
  call: Fetch,
  api: string,
  runId: string,
  terminal: NodeJS.WriteStream,
): Promise<JobStatus> {
  const redraw = terminal.isTTY ? createLogUpdate(terminal) : null;
  let last: JobStatus | null = null;
  const response = await call(`${api}/api/v1/runs/${runId}/events`);
  if (!response.ok || !response.body) await answer(response);
  for await (const { event, data } of serverEvents(response.body!)) {
    if (event !== 'status') continue;
    const status = JSON.parse(data) as JobStatus;
    if (redraw) redraw(progressFrame(status));
    else for (const line of progressLines(last, status)) terminal.write(`${line}\n`);
    last = status;
  }
  redraw?.done();
  if (last?.state === 'COMPLETED') return last;
  throw new Error(`the run ended as ${last?.state ?? 'nothing'}: ${last?.error?.message ?? 'no reason given'}`);
}
