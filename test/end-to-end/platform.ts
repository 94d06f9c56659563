import { Readable } from 'node:stream';
import { fetchWith, logIn } from '../../cli/session.ts';
import { startPlatform, type Platform } from '../../cli/up.ts';
import { loadConfig } from '../../lib/config.ts';
import { sampleCsv } from '../../pipelines/sample-data.ts';
import type { ReadyPipelineName } from '../../pipelines/ready.ts';
import type { JobStatus } from '../../workflows/messages.ts';
import type { Role } from '../../auth/roles.ts';
import { temporaryFolder } from '../platform.ts';

export const ANY_PORT = {
  ...Object.fromEntries(
    ['API', 'SERVING', 'TEMPORAL', 'TEMPORAL_UI', 'POSTGRES']
      .map((name) => `${name}_PORT`)
      .concat(['PIPELINE', 'TRAINING', 'MONITORING'].map((role) => `WORKER_${role}_METRICS_PORT`))
      .map((name) => [name, '0']),
  ),
  SERVING_PROCESSES: '1', // a process more takes memory, and tests of its own are there for several
};

/** What a process of Anneal needs that is started without `anneal up`. */
export const SECRETS = {
  JWT_SECRET_KEY: 'a-key-for-tests-only-of-more-than-32-characters',
  ADMIN_PASSWORD: 'a password for tests only',
};
export type Api = ReturnType<typeof createApi>;
export const logInAsAdmin = (api: string) => logIn(api, 'admin', SECRETS.ADMIN_PASSWORD);

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
  const token = await logIn(platform.urls.api, platform.admin.username, platform.admin.password!);
  return { ...platform, ...createApi(platform.urls.api, token), home: folder.path, reports, stop };
}
export type TestPlatform = Awaited<ReturnType<typeof startTestPlatform>>;

/** Makes a user, and answers the API as that user meets it. */
export async function createUser(
  admin: Api & { readonly urls: { api: string } },
  name: string,
  role: Role,
): Promise<Api> {
  const password = `the password of one ${role}`;
  const user = { name, email: `${name}@example.com`, role, password };
  const { status, body } = await admin.post('/api/v1/auth/users', user);
  if (status !== 201) throw new Error(`POST /auth/users answered ${status}: ${JSON.stringify(body)}`);
  return createApi(admin.urls.api, await logIn(admin.urls.api, name, password));
}

/** A run as the API shows it. */
export type RunView = JobStatus & { readonly stale: boolean };
export interface Answer<T> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
}

/** The control plane as a user with that token meets it. `send` shows the token to any address. */
export function createApi(api: string, token: string) {
  const send = fetchWith(token);
  const call = async <T = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<Answer<T>> => {
    const response = await send(`${api}${path}`, {
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
    const response = await send(`${api}/api/v1/datasets?name=${name}`, {
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
  const waitFor = async (id: string, done: (status: RunView) => boolean, timeoutMs = 300_000): Promise<RunView> => {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const status = await run(id).catch(() => null);
      if (status?.state !== undefined && done(status)) return status;
      if (Date.now() > deadline) throw new Error(`run ${id} is not there yet: ${JSON.stringify(status)}`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  };
  const finished = (id: string) => waitFor(id, ({ state }) => ['COMPLETED', 'FAILED', 'CANCELLED'].includes(state));
  return { token, send, call, get, post, upload, uploadSample, train, run, waitFor, finished };
}
