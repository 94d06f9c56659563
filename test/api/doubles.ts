import { mkdtempSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { onTestFinished } from 'vitest';
import { type ApiDeps, type AppType, createApp } from '../../api/app.ts';
import type { JobEngine, JobExecution, JobStart } from '../../api/job-engine.ts';
import { createJobs } from '../../api/jobs.ts';
import { createFileDoor } from '../../data/file-door.ts';
import { createLabelFileReader } from '../../data/label-files.ts';
import type { AuditEvent } from '../../db/audit-log.ts';
import type { ClaimResult, IdempotencyKeyRepository } from '../../db/idempotency-keys.ts';
import { datasetVersionId } from '../../db/datasets.ts';
import type { AuditEntry } from '../../db/schema/audit-log.ts';
import type { PipelineVersion } from '../../db/schema/pipelines.ts';
import type { DatasetVersion } from '../../db/schema/datasets.ts';
import { createFolderStore } from '../../lib/artifact-store/folder.ts';
import { notFound } from '../../lib/errors.ts';
import { createLogger } from '../../lib/log.ts';
import type { JobStatus } from '../../workflows/messages.ts';
import { principalOf } from '../auth/principals.ts';
import { ratesOf } from '../auth/rates.ts';
import { exampleDefinition } from '../db/examples.ts';

/** Jobs that stand where a test puts them: Temporal without a server. */
export function createFakeEngine() {
  const jobs = new Map<string, { job: JobStart; execution: JobExecution; told: JobStatus | null }>();
  const signals: string[] = [];
  let onStart = () => Promise.resolve();
  const engine: JobEngine = {
    start: async (job) => {
      await onStart();
      if (jobs.has(job.jobId)) return 'exists';
      const { kind, requestSha256, input } = job;
      const execution: JobExecution = {
        kind,
        state: 'running',
        requestSha256,
        startedAt: new Date('2026-01-01T00:00:00Z'),
        closedAt: null,
        pipeline: 'pipeline' in input ? input.pipeline : null,
        requestedBy: input.requested_by,
      };
      jobs.set(job.jobId, { job, execution, told: null });
      return 'started';
    },
    describe: (id) => Promise.resolve(jobs.get(id)?.execution ?? null),
    query: (id) => Promise.resolve(jobs.get(id)?.told ?? null),
    result: (id) => Promise.resolve(jobs.get(id)?.told ?? null),
    cancel: () => Promise.resolve(),
    signal: (id, signal) => {
      signals.push(`${id} ${signal}`);
      return Promise.resolve(jobs.get(id)?.execution.state === 'running');
    },
  };
  return {
    engine,
    jobs,
    signals,
    /** Starts wait from now on; `reached` settles when the first one does. */
    holdStarts: () => {
      const reached = Promise.withResolvers<void>();
      const opened = Promise.withResolvers<void>();
      onStart = () => (reached.resolve(), opened.promise);
      return { reached: reached.promise, open: opened.resolve };
    },
    /** What the workflow answers from now on; null = no worker. */
    tell: (id: string, told: JobStatus | null) => void (jobs.get(id)!.told = told),
    close: (id: string, state: JobExecution['state']) => {
      const job = jobs.get(id)!;
      job.execution = { ...job.execution, state, closedAt: new Date('2026-01-01T01:00:00Z') };
    },
  };
}

export function createFakeRuns() {
  const rows = new Map<string, { status: JobStatus; sequence: number }>();
  return {
    rows,
    get: (id: string) => {
      const row = rows.get(id);
      return row ? Promise.resolve(row as never) : Promise.reject(notFound('run', id));
    },
    project: ({ status, sequence }: { status: JobStatus; sequence: number }) => {
      rows.set(status.job_id, { status, sequence });
      return Promise.resolve(true);
    },
    list: () => Promise.resolve({ items: [...rows.values()] as never, nextCursor: null }),
  };
}

export function createFakePipelines(names: readonly string[] = ['churn']) {
  const saved = new Map<string, PipelineVersion[]>();
  const add = (definition: PipelineVersion['definition'], definitionSha256: string, createdBy: string) => {
    const versions = saved.get(definition.name) ?? [];
    saved.set(definition.name, versions);
    const version = versions.length + 1;
    const createdAt = new Date('2026-01-01T00:00:00Z');
    versions.push({ pipelineName: definition.name, version, definition, definitionSha256, createdBy, createdAt });
    return { name: definition.name, version, created: true };
  };
  for (const name of names) add(exampleDefinition(name), name, 'test');
  return {
    saved,
    get: (name: string, version?: number) => {
      const found = version === undefined ? saved.get(name)?.at(-1) : saved.get(name)?.[version - 1];
      return found ? Promise.resolve(found) : Promise.reject(notFound('pipeline', name));
    },
    saveVersion: (input: Pick<PipelineVersion, 'definition' | 'definitionSha256' | 'createdBy'>) => {
      const latest = saved.get(input.definition.name)?.at(-1);
      if (latest?.definitionSha256 === input.definitionSha256) {
        return Promise.resolve({ name: latest.pipelineName, version: latest.version, created: false });
      }
      return Promise.resolve(add(input.definition, input.definitionSha256, input.createdBy));
    },
    list: () => Promise.resolve({ items: [...saved.values()].map((versions) => versions.at(-1)!), nextCursor: null }),
    listVersions: (name: string) =>
      saved.has(name)
        ? Promise.resolve({ items: [...saved.get(name)!].reverse(), nextCursor: null })
        : Promise.reject(notFound('pipeline', name)),
  };
}

export function createFakeDatasets() {
  const rows = new Map<string, DatasetVersion>();
  return {
    rows,
    recordVersion: ({ now = new Date(), ...input }: Omit<DatasetVersion, 'id' | 'createdAt'> & { now?: Date }) => {
      const version = { id: datasetVersionId(input.sha256, now), createdAt: now, ...input };
      rows.set(version.id, version);
      return Promise.resolve(version);
    },
    getVersion: (id: string) =>
      rows.has(id) ? Promise.resolve(rows.get(id)!) : Promise.reject(notFound('dataset version', id)),
    list: () => Promise.resolve({ items: [...rows.values()], nextCursor: null }),
    listTables: () => Promise.resolve([]),
  };
}

export function createFakeKeys(): IdempotencyKeyRepository {
  const rows = new Map<string, { sha256: string; answer?: { status: number; body: unknown } }>();
  const id = ({ route, key }: { route: string; key: string }) => `${route} ${key}`;
  return {
    claim: (claim): Promise<ClaimResult> => {
      const held = rows.get(id(claim));
      if (!held) rows.set(id(claim), { sha256: claim.bodySha256 });
      if (!held) return Promise.resolve({ state: 'claimed' });
      if (held.sha256 !== claim.bodySha256) return Promise.resolve({ state: 'other_body' });
      return Promise.resolve(held.answer ? { state: 'answered', ...held.answer } : { state: 'in_flight' });
    },
    answer: (key, answer) => Promise.resolve(void (rows.get(id(key))!.answer = answer)),
    release: (key) => Promise.resolve(void rows.delete(id(key))),
    prune: () => Promise.resolve(),
  };
}

/** Keeps rows in memory, without their chain. */
export function createFakeAudit() {
  const rows: AuditEntry[] = [];
  return {
    rows,
    append: (event: AuditEvent): Promise<AuditEntry> => {
      const at = new Date('2026-01-01T00:00:00Z');
      const row = { ...event, sequence: rows.length + 1, at, previousSha256: '', sha256: '' };
      rows.push(row);
      return Promise.resolve(row);
    },
    list: () => Promise.resolve({ items: [...rows].reverse(), nextCursor: null }),
    read: async function* () {
      await Promise.resolve();
      for (const row of rows) yield { ...row, detail: JSON.stringify(row.detail) };
    },
  };
}

/** Every request is somebody's, unless it says otherwise. */
export function sendAsSomebody(app: Pick<AppType, 'request'>): void {
  const { request } = app;
  app.request = (input, init = {}, ...rest) => {
    const headers = new Headers(init.headers);
    if (!headers.has('authorization')) headers.set('authorization', 'Bearer tester');
    return request(input, { ...init, headers }, ...rest);
  };
}

/** The whole API on doubles, with an artifact store in a temporary folder. */
export function createTestApp(changes: Partial<ApiDeps> = {}) {
  const engine = createFakeEngine();
  const runs = createFakeRuns();
  const pipelines = createFakePipelines();
  const datasets = createFakeDatasets();
  const audit = createFakeAudit();
  const folder = mkdtempSync(join(tmpdir(), 'anneal-api-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const store = createFolderStore(join(folder, 'artifacts'));
  const log = createLogger({ service: 'test', level: 'silent' });
  const synced: PipelineVersion[] = [];
  const outgoing = { hosts: ['data.example.org'], privateAddresses: false };
  const shared = { pipelines, datasets, store, sourceConnections: ['warehouse'], outgoing, log, runs };
  const now = () => new Date('2026-01-01T00:00:00Z');
  const deps: ApiDeps = {
    authenticate: (user) => Promise.resolve(principalOf({ user })),
    auth: {} as ApiDeps['auth'],
    ...shared,
    schedules: { sync: (version) => Promise.resolve(void synced.push(version)) },
    jobs: createJobs({ ...shared, engine: engine.engine, now }),
    now,
    models: {} as ApiDeps['models'],
    endpoints: {} as ApiDeps['endpoints'],
    predictions: {} as ApiDeps['predictions'],
    labels: {} as ApiDeps['labels'],
    readLabelFile: createLabelFileReader(),
    performance: {} as ApiDeps['performance'],
    realisedMetrics: { get: () => Promise.resolve(null) },
    driftReports: {} as ApiDeps['driftReports'],
    addUpWindows: () => Promise.reject(new Error('no test double')),
    alerts: {} as ApiDeps['alerts'],
    retrainings: {} as ApiDeps['retrainings'],
    datasets: datasets as unknown as ApiDeps['datasets'],
    idempotencyKeys: createFakeKeys(),
    auditLog: audit,
    registry: new Registry(),
    checks: { postgres: () => Promise.resolve() },
    events: { pollMs: 5, keepAliveMs: 20, stopping: new AbortController().signal },
    workDirectory: folder,
    maxBodyBytes: 10_000,
    maxBatchBytes: 100_000,
    rates: ratesOf(),
    trustedProxies: [],
    corsOrigins: [],
    maxUploadBytes: 100_000,
    maxModelBytes: 100_000,
    checkModel: () => Promise.reject(new Error('no test double')),
    fileDoor: createFileDoor(),
    ...changes,
  };
  const app = createApp(deps);
  sendAsSomebody(app);
  /** Names of what uploads and downloads left behind. */
  const leftovers = async () => (await readdir(folder)).filter((name) => name !== 'artifacts');
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    app.request(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  return { app, deps, engine, runs, pipelines, datasets, audit, store, synced, folder, leftovers, post };
}
export type TestApp = ReturnType<typeof createTestApp>;

export interface ProblemBody {
  readonly code: string;
  readonly detail: string;
  readonly request_id: string;
  readonly errors: readonly { readonly path: string; readonly rule: string; readonly message: string }[];
}
export const problemOf = async (response: Response) => (await response.json()) as ProblemBody;
