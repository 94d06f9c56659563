import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { compareTables } from '../data/drift-compare.ts';
import { describeTables, type LeftOut } from '../data/drift-tables.ts';
import { withDuckDb } from '../lib/duckdb.ts';
import { PlatformError } from '../lib/errors.ts';
import { comparesCells } from '../ml/drift/choose-method.ts';
import type { DriftReport } from '../ml/drift/drift-report.ts';
import { checkPage } from '../pages/check-page.ts';
import { readArguments } from './arguments.ts';
import { checkText } from './drift-check-text.ts';
import { DriftSuite, testReport } from './drift-suite.ts';
import type { Rest } from './rest.ts';

export const DRIFT_USAGE = `anneal drift check --reference <a.parquet> --current <b.parquet> [--suite <suite.json>] [--json] [--html <file>]
       anneal drift check --endpoint <name> [--since 24h] [--suite <suite.json>] [--json] [--html <file>]`;

export interface DriftCheckDeps {
  readonly say: (text: string) => void;
  /** The windows of an endpoint since a time (ISO 8601), added up by version, the newest first. */
  readonly endpointDrift: (endpoint: string, since: string) => Promise<readonly VersionDrift[]>;
}
export interface VersionDrift extends DriftReport {
  readonly model: string;
  readonly version: number;
  readonly windows: number;
}
interface Compared {
  readonly title: string;
  readonly report: DriftReport;
  readonly leftOut: readonly LeftOut[];
}
const DUCKDB = { memoryLimit: '512MB', threads: 2 };
const OPTIONS = {
  reference: { type: 'string' },
  current: { type: 'string' },
  endpoint: { type: 'string' },
  since: { type: 'string' },
  suite: { type: 'string' },
  json: { type: 'boolean', default: false },
  html: { type: 'string' },
} as const;

/**
 * `anneal drift check`. Answers the exit code: 0 when every test of the suite has passed, 1 when one has not; where
 * none is asked for, it is that the features have not drifted. Throws INVALID for what cannot be checked.
 */
export async function driftCheck(args: readonly string[], deps: DriftCheckDeps): Promise<0 | 1> {
  const options = readOptions(args);
  const suite = options.suite === undefined ? DriftSuite.parse({}) : await readSuite(options.suite);
  const compared =
    options.endpoint === undefined
      ? await compareFiles({ reference: options.reference!, current: options.current! }, suite, options.suite)
      : await compareEndpoint(options.endpoint, options.since ?? '24h', deps);
  const asked = testReport(suite, compared.report);
  const tests = asked.length > 0 ? asked : testReport({ ...suite, drifted: false }, compared.report);
  const passed = tests.every((test) => test.passed);
  const { report, leftOut } = compared;
  if (options.html !== undefined) await writeFile(options.html, checkPage(compared.title, report));
  deps.say(
    options.json
      ? JSON.stringify({ passed, tests, left_out: leftOut, report })
      : checkText({ ...compared, tests, passed }),
  );
  return passed ? 0 : 1;
}

/** What the API says. Throws what it answers instead as a PlatformError. */
export async function endpointDrift(api: Rest, endpoint: string, since: string): Promise<readonly VersionDrift[]> {
  const path = `/api/v1/endpoints/${encodeURIComponent(endpoint)}/drift?since=${encodeURIComponent(since)}`;
  return (await api.get<{ versions: readonly VersionDrift[] }>(path)).versions;
}

function readOptions(args: readonly string[]) {
  const [verb, ...rest] = args;
  const wrong = (why: string) => new PlatformError('INVALID', `${why}\nusage: ${DRIFT_USAGE}`);
  if (verb !== 'check') throw wrong(`drift: no verb '${verb ?? ''}'`);
  const { values } = readArguments(rest, { usage: DRIFT_USAGE, options: OPTIONS, most: 0 });
  const files = [values.reference, values.current].filter((file) => file !== undefined).length;
  if (values.endpoint === undefined ? files < 2 : files > 0)
    throw wrong('name either --reference and --current, or --endpoint');
  if (values.since !== undefined && values.endpoint === undefined) throw wrong('--since goes with --endpoint');
  return values;
}

async function readSuite(file: string): Promise<DriftSuite> {
  const invalid = (path: string, rule: string, message: string) =>
    new PlatformError('INVALID', `${file}: ${path === '' ? '' : `${path}: `}${message}`, {
      details: [{ path: path || file, rule, message }],
    });
  const text = await readFile(file, 'utf8').catch(() => {
    throw invalid('', 'file', 'does not exist or may not be read');
  });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw invalid('', 'json', `is not JSON: ${(cause as Error).message}`);
  }
  const parsed = DriftSuite.safeParse(json);
  if (parsed.success) return parsed.data;
  const { path, code, message } = parsed.error.issues[0]!;
  throw invalid(path.join('.'), code, message);
}

async function compareFiles(
  tables: { readonly reference: string; readonly current: string },
  suite: DriftSuite,
  suiteFile = 'the suite',
): Promise<Compared> {
  const tempDir = await mkdtemp(join(tmpdir(), 'anneal-drift-'));
  try {
    return await withDuckDb({ ...DUCKDB, tempDir }, async (db) => {
      const { columns, leftOut } = await describeTables(db, tables, suite.drift.ignore);
      requireColumns(suite, suiteFile, new Map(columns.map(({ name, type }) => [name, type])));
      const roles = columns.map((column) => ({ ...column, role: 'feature' as const }));
      const report = await compareTables(db, tables, roles, suite.drift);
      return { title: `${basename(tables.current)} beside ${basename(tables.reference)}`, report, leftOut };
    });
  } finally {
    await rm(tempDir, { recursive: true, force: true });
  }
}

/** What a suite says of a column must be about one that is compared, by a method for its type. */
function requireColumns(suite: DriftSuite, file: string, types: ReadonlyMap<string, 'numeric' | 'categorical'>): void {
  for (const name of [...Object.keys(suite.columns), ...Object.keys(suite.drift.columns)]) {
    const type = types.get(name);
    const method = suite.drift.columns[name]?.method;
    const problem =
      type === undefined
        ? { rule: 'unknown_column', message: 'is no column that is compared' }
        : type === 'categorical' && method !== undefined && !comparesCells(method)
          ? { rule: 'method', message: `${method} compares numbers, but the column is categorical` }
          : null;
    if (problem === null) continue;
    const message = `${file}: column '${name}': ${problem.message}`;
    throw new PlatformError('INVALID', message, { details: [{ path: name, ...problem }] });
  }
}

/** The version that was asked last. */
async function compareEndpoint(endpoint: string, since: string, deps: DriftCheckDeps): Promise<Compared> {
  const from = new Date(Date.now() - millisecondsOf(since)).toISOString();
  const [newest] = await deps.endpointDrift(endpoint, from);
  if (newest === undefined)
    throw new PlatformError('NOT_FOUND', `endpoint '${endpoint}' has no window that was closed since ${from}`);
  const { model, version, windows, ...report } = newest;
  const title = `${endpoint} since ${from}, models:/${model}/${version}, windows: ${windows}`;
  return { title, report, leftOut: [] };
}

function millisecondsOf(since: string): number {
  const [, count, unit] = /^([1-9]\d{0,5})([mhd])$/.exec(since) ?? [];
  if (count === undefined) throw new PlatformError('INVALID', `--since '${since}' is not a duration as 30m, 24h or 7d`);
  return Number(count) * { m: 60_000, h: 3_600_000, d: 86_400_000 }[unit as 'm' | 'h' | 'd'];
}
