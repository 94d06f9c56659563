import { Readable } from 'node:stream';
import { startPlatform, type Platform } from '../../cli/up.ts';
import { loadConfig } from '../../lib/config.ts';
import { sampleCsv } from '../../pipelines/sample-data.ts';
import type { ReadyPipelineName } from '../../pipelines/ready.ts';
import type { JobStatus } from '../../workflows/messages.ts';
import { temporaryFolder } from '../platform.ts';

export const ANY_PORT = Object.fromEntries(
  ['API', 'SERVING', 'TEMPORAL', 'TEMPORAL_UI', 'POSTGRES']
    .map((name) => `${name}_PORT`)
    .concat(['PIPELINE', 'TRAINING', 'MONITORING'].map((role) => `WORKER_${role}_METRICS_PORT`))
    .map((name) => [name, '0']),
);

/** The whole of Anneal as `anneal up` starts it: real servers, real processes, on free ports and in a home of its own. */
export async function startTestPlatform(settings: Record<string, string> = {}, home?: string) {
  const folder = home === undefined ? await temporaryFolder('home') : { path: home, remove: () => Promise.resolve() };
  const env = { ...process.env, ...ANY_PORT, SHUTDOWN_GRACE_SECONDS: '3', ANNEAL_HOME: folder.path, ...settings };
  const reports: string[] = [];
  let platform: Platform;
  try {
    platform = await startPlatform(loadConfig(env), { env, report: (line) => void reports.push(line) });
  } catch (error) {
    await folder.remove();
    throw error;
  }
  const stop = async () => {
    const clean = await platform.stop();
    await folder.remove();
    return clean;
  };
  return { ...platform, ...createApi(platform.urls.api), home: folder.path, reports, stop };
}
export type TestPlatform = Awaited<ReturnType<typeof startTestPlatform>>;

/** A run as the API shows it. */
export type RunView = JobStatus & { readonly stale: boolean };
export interface Answer<T> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
}

/** The control plane as a user meets it. */
export function createApi(api: string) {
  const call = async <T = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<Answer<T>> => {
    const response = await fetch(`${api}${path}`, {
      method,
      headers: body === undefined ? {} : { 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    return { status: response.status, headers: response.headers, body: (await response.json()) as T };
  };
  const get = <T>(path: string) => call<T>('GET', path);
  const post = <T>(path: string, body: unknown) => call<T>('POST', path, body);

  /** Uploads text as a dataset version and answers its id. */
  const upload = async (
    name: string,
    lines: Iterable<string | Uint8Array>,
    contentType = 'text/csv',
  ): Promise<string> => {
    const response = await fetch(`${api}/api/v1/datasets?name=${name}`, {
      method: 'POST',
      headers: { 'content-type': contentType },
      body: Readable.toWeb(Readable.from(lines)) as ReadableStream,
      duplex: 'half',
    });
    const body = (await response.json()) as { id: string };
    if (response.status !== 201) throw new Error(`upload answered ${response.status}: ${JSON.stringify(body)}`);
    return body.id;
  };
  const uploadSample = (name: ReadyPipelineName, rows: number, seed = 7) => upload(name, sampleCsv(name, rows, seed));

  /** Starts training and answers the run's id; throws unless accepted. */
  const train = async (request: { pipeline: string } & Record<string, unknown>): Promise<string> => {
    const { status, body } = await post<{ job_id: string }>('/api/v1/train', request);
    if (status !== 202) throw new Error(`POST /train answered ${status}: ${JSON.stringify(body)}`);
    return body.job_id;
  };
  const run = async (id: string) => (await get<RunView>(`/api/v1/runs/${id}`)).body;

  /** Polls a run until `done` holds; a server that is just restarting is asked again. */
  const waitFor = async (id: string, done: (status: RunView) => boolean, timeoutMs = 120_000): Promise<RunView> => {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const status = await run(id).catch(() => null);
      if (status?.state !== undefined && done(status)) return status;
      if (Date.now() > deadline) throw new Error(`run ${id} is not there yet: ${JSON.stringify(status)}`);
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
  };
  const finished = (id: string) => waitFor(id, ({ state }) => ['COMPLETED', 'FAILED', 'CANCELLED'].includes(state));
  return { call, get, post, upload, uploadSample, train, run, waitFor, finished };
}
