import { spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startOtlpReceiver, type OtlpReceiver, type ReceivedSpan } from '../otlp-receiver.ts';
import { temporaryFolder, type TemporaryFolder } from '../platform.ts';
import { startTestPlatform, type RunView } from './platform.ts';

const CALLER = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) };

let receiver: OtlpReceiver;
const homes: TemporaryFolder[] = [];
let watched: Watched;
beforeAll(async () => {
  receiver = await startOtlpReceiver();
  // A run is COMPLETED for its user a moment before its workflow has told the database and ends; and a process that ends
  // waits for its spans no longer than two seconds.
  watched = await trainOnce(receiver.endpoint, () => vi.waitFor(expectWholeTrace, { timeout: 60_000, interval: 200 }));
});
afterAll(async () => {
  await receiver?.stop();
  for (const home of homes) await home.remove();
});

interface LogLine {
  readonly level: string;
  readonly service: string;
  readonly msg: string;
  readonly trace_id?: string;
  readonly run_id?: string;
}
interface Watched {
  readonly run: RunView;
  readonly clean: boolean;
  readonly reports: readonly string[];
  readonly lines: readonly LogLine[];
}

/** A whole life of the platform: start, one run, stop; with what its processes logged. */
async function trainOnce(collector: string, beforeStop: () => unknown = () => {}): Promise<Watched> {
  const home = await temporaryFolder('telemetry');
  homes.push(home);
  const platform = await startTestPlatform(
    { OTEL_EXPORTER_OTLP_ENDPOINT: collector, SHUTDOWN_GRACE_SECONDS: '60' },
    home.path,
  );
  try {
    const body = { pipeline: 'churn', dataset_version: await platform.uploadSample('churn', 2000) };
    const response = await platform.send(`${platform.urls.api}/api/v1/train`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', traceparent: `00-${CALLER.traceId}-${CALLER.spanId}-01` },
      body: JSON.stringify(body),
    });
    const { job_id } = (await response.json()) as { job_id: string };
    const run = await platform.finished(job_id);
    await beforeStop();
    const { reports } = platform;
    return { run, reports, clean: await platform.stop(), lines: await logLines(home.path) };
  } finally {
    await platform.stop();
  }
}

async function logLines(home: string): Promise<LogLine[]> {
  const files = await readdir(join(home, 'logs'));
  const texts = await Promise.all(files.map((file) => readFile(join(home, 'logs', file), 'utf8')));
  return texts.flatMap((text) => text.trim().split('\n')).map((line) => JSON.parse(line) as LogLine);
}

const runTrace = () => receiver.spans().filter(({ traceId }) => traceId === CALLER.traceId);
const parentOf = ({ parentSpanId }: ReceivedSpan) => runTrace().find(({ spanId }) => spanId === parentSpanId);
function pathTo(span: ReceivedSpan | undefined): string[] {
  return span ? [...pathTo(parentOf(span)), `${span.service} ${span.name}`] : [];
}
const find = (name: string) => runTrace().find((span) => span.name === name);

function expectWholeTrace(): void {
  for (const name of ['RunWorkflow:trainModel', 'serving.swap']) expect(find(name)).toBeDefined();
  expect(runTrace().filter((span) => parentOf(span) === undefined)).toHaveLength(1);
  const ran = new Set(runTrace().map(({ parentSpanId }) => parentSpanId));
  const started = runTrace().filter(({ name }) => name.startsWith('StartActivity:'));
  expect(started.filter(({ spanId }) => !ran.has(spanId))).toEqual([]);
}

test('the trace of a run is connected: one root, which continues the caller’s span', () => {
  expect(watched.run).toMatchObject({ state: 'COMPLETED', promoted: true });
  const spans = runTrace();
  const roots = spans.filter((span) => parentOf(span) === undefined);
  expect(roots).toMatchObject([{ service: 'api', name: 'POST /api/v1/train', parentSpanId: CALLER.spanId }]);
  expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(spans.length);
});

test('every activity lies between the request and the process that ran it', () => {
  const RUN = ['api POST /api/v1/train', 'api StartWorkflow:trainModel', 'worker-pipeline RunWorkflow:trainModel'];
  const expected: Record<string, string> = {
    planRun: 'worker-pipeline',
    makeDataset: 'worker-pipeline',
    preprocess: 'worker-pipeline',
    trainCandidate: 'worker-training',
    evaluateCandidates: 'worker-pipeline',
    buildReferenceProfile: 'worker-monitoring',
    registerModel: 'worker-pipeline',
    prepareDeployment: 'worker-pipeline',
    awaitNodesReady: 'worker-pipeline',
    activateDeployment: 'worker-pipeline',
    awaitNodesServing: 'worker-pipeline',
    recordStatus: 'worker-pipeline',
  };
  const ran = runTrace().filter(({ name }) => name.startsWith('RunActivity:'));
  const activityOf = ({ name }: ReceivedSpan) => name.slice('RunActivity:'.length);
  expect(new Set(ran.map(activityOf))).toEqual(new Set(Object.keys(expected)));
  for (const span of ran) {
    const activity = activityOf(span);
    expect(pathTo(span)).toEqual([
      ...RUN,
      `worker-pipeline StartActivity:${activity}`,
      `${expected[activity]} RunActivity:${activity}`,
    ]);
  }
  expect(ran.filter((span) => activityOf(span) === 'trainCandidate')).toHaveLength(watched.run.candidates.length);
});

test('the swap in the serving process belongs to the deployment that asked for it', () => {
  expect(pathTo(find('serving.swap')).slice(-2)).toEqual([
    'worker-pipeline RunActivity:prepareDeployment',
    'serving serving.swap',
  ]);
  expect(find('serving.swap')?.attributes).toMatchObject({
    'anneal.endpoint': 'churn',
    'anneal.revision': 1,
    'anneal.model': 'models:/churn/1',
  });
});

test('what workers and serving log of the run carries its id and its trace', () => {
  const { lines, run } = watched;
  const ofRun = lines.filter(({ run_id, trace_id }) => run_id === run.job_id || trace_id === CALLER.traceId);
  const known = ({ service, msg }: LogLine) => `${service}: ${msg}`;
  expect(new Set(ofRun.filter(({ service }) => service !== 'api').map(known))).toEqual(
    new Set([
      'worker-pipeline: activity completed',
      'worker-training: activity completed',
      'worker-monitoring: activity completed',
      'serving: endpoint revision',
    ]),
  );
  // Of the API's own lines: those of the request, which names its trace but no run.
  const ofRequest = ({ service, msg }: LogLine) => service === 'api' && ['request', 'recorded'].includes(msg);
  const unlabelled = ofRun.filter(
    (line) => !ofRequest(line) && (line.run_id !== run.job_id || line.trace_id !== CALLER.traceId),
  );
  expect(unlabelled).toEqual([]);
});

test.each(['api/main.ts', 'serving/main.ts', 'workers/main.ts pipeline'])(
  'without a collector %s does not load the SDK',
  async (main) => {
    const print = 'for (const file of Object.keys(m._cache)) console.log(`\\nloaded ${file}`)';
    const hook = `data:text/javascript,import m from 'node:module'; process.on('exit', () => { ${print} })`;
    // Nothing is configured, so it ends with an error as soon as everything is imported.
    const child = spawn(process.execPath, ['--no-warnings', '--import', hook, ...main.split(' ')], {
      cwd: join(import.meta.dirname, '../..'),
      env: { PATH: process.env['PATH'], ANNEAL_HOME: homes[0]!.path },
    });
    const [output, problem] = await Promise.all([text(child.stdout), text(child.stderr)]);
    expect(problem).toContain('is not set');
    const packages = Array.from(output.matchAll(/^loaded .*(@opentelemetry\/[^/]+)/gm), ([, name]) => name);
    expect(new Set(packages)).toEqual(new Set(['@opentelemetry/api']));
  },
);

test('a collector that nobody listens to changes nothing: the run completes, nothing is warned of, the end is clean', async () => {
  const { run, clean, reports, lines } = await trainOnce('http://127.0.0.1:1');
  expect(run).toMatchObject({ state: 'COMPLETED', promoted: true });
  expect(clean).toBe(true);
  expect(lines.filter(({ level }) => !['info', 'debug'].includes(level))).toEqual([]);
  expect(reports).toEqual(watched.reports);
});
