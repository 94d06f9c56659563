import { Readable } from 'node:stream';
import { createLogUpdate } from 'log-update';
import { exampleCustomer } from '../pipelines/churn.ts';
import { sampleCsv } from '../pipelines/sample-data.ts';
import type { JobStatus } from '../workflows/messages.ts';
import { progressFrame, progressLines } from './progress-view.ts';
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
  const dataset = await uploadCsv(call, urls.api);
  say(`Uploaded ${ROWS} churn rows as dataset version ${dataset}`);
  const started = performance.now();
  const runId = await startTraining(call, urls.api, dataset);
  say(`Started training run ${runId}\n`);
  const status = await follow(call, urls.api, runId, terminal);
  if (status.state !== 'COMPLETED')
    throw new Error(`the run ended as ${status.state}: ${status.error?.message ?? 'no reason given'}`);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  say(
    `\n${status.model!.uri} is deployed, ${seconds} s after POST /train. Test ROC AUC ${status.metrics.roc_auc!.toFixed(4)}\n`,
  );
  say(`A customer scored at ${urls.serving}/api/v1/predict/churn:`);
  say(JSON.stringify(await post(call, `${urls.serving}/api/v1/predict/churn`, exampleCustomer), null, 2));
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

const startTraining = async (call: Fetch, api: string, dataset_version: string): Promise<string> =>
  (await post<{ job_id: string }>(call, `${api}/api/v1/train`, { pipeline: 'churn', dataset_version })).job_id;

/** Shows each change: redrawn bars on a terminal, plain lines elsewhere. */
async function follow(call: Fetch, api: string, runId: string, terminal: NodeJS.WriteStream): Promise<JobStatus> {
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
  if (!last) throw new Error('the API ended the event stream without a status');
  return last;
}

const post = async <T = unknown>(call: Fetch, url: string, body: unknown): Promise<T> =>
  answer<T>(
    await call(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  );

async function answer<T>(response: Response): Promise<T> {
  if (response.ok) return (await response.json()) as T;
  throw new Error(`${response.url} answered ${response.status}: ${await response.text()}`);
}
