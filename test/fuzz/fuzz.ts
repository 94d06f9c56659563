import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { logIn } from '../../cli/session.ts';
import { pythonVenv } from '../../scripts/python-venv.ts';
import { startTestPlatform } from '../end-to-end/platform.ts';

const REQUIREMENTS = fileURLToPath(new URL('./requirements.txt', import.meta.url));
const CONFIG = fileURLToPath(new URL('./schemathesis.toml', import.meta.url));
const UNLIMITED = '1000000000';
const PASSWORD = 'a password of the fuzzed platform';

export type FuzzRole = 'admin' | 'user';
export interface FuzzTarget {
  readonly document: 'api' | 'serving';
  readonly role: FuzzRole;
}
// Each has a user of its own: what is tried on the API ends its user's tokens everywhere.
const userOf = ({ document, role }: FuzzTarget) => `fuzz-${document}-${role}`;
export const FUZZ_TARGETS = (['api', 'serving'] as const).flatMap((document) =>
  (['admin', 'user'] as const).map((role) => ({ document, role })),
);

/** The whole platform with a deployed churn model, for Schemathesis (the program from PyPI) to try to break. */
export async function startFuzzPlatform() {
  const rates = ['AUTH', 'GENERAL', 'PREDICT'].map((zone) => [`RATE_LIMIT_${zone}_PER_MINUTE`, UNLIMITED] as const);
  const platform = await startTestPlatform({
    ...Object.fromEntries(rates),
    ADMIN_USERNAME: 'root',
    ADMIN_PASSWORD: PASSWORD,
    ACCESS_TOKEN_EXPIRE_MINUTES: '1440',
    OUTGOING_HOSTS: '',
  });
  for (const target of FUZZ_TARGETS) {
    const user = { name: userOf(target), email: 'fuzz@example.com', role: target.role, password: PASSWORD };
    const created = await platform.post('/api/v1/auth/users', user);
    if (created.status !== 201) throw new Error(`no user ${user.name}: ${JSON.stringify(created.body)}`);
  }
  const trained = await platform.train({ pipeline: 'churn', dataset_version: await platform.uploadSample('churn', 1000) }); // prettier-ignore
  const { state } = await platform.finished(trained);
  if (state !== 'COMPLETED') throw new Error(`the churn model is ${state}`);

  return {
    stop: platform.stop,
    /**
     * Runs all checks and phases against one document; `report` is what Schemathesis printed. Operations that were only
     * ever refused were not tested: that is no pass, but for a user, who may call little of the API.
     */
    fuzz: async (target: FuzzTarget, maxExamples: number): Promise<{ passed: boolean; report: string }> => {
      const { document } = target;
      const credentials = { FUZZ_USER: userOf(target), FUZZ_PASSWORD: PASSWORD };
      const token = await logIn(platform.urls.api, userOf(target), PASSWORD);
      const url = platform.urls[document];
      const { passed, report } = await runSchemathesis(
        url,
        maxExamples,
        document === 'api' ? { credentials } : { token },
      );
      const isKeptOut = document === 'api' && target.role === 'user';
      return { passed: passed && (isKeptOut || !report.includes('Authentication failed')), report };
    },
  };
}

// Among what it tries is to log out: only the API, where it can log in again, is given a name and a password.
const LOGGING_IN = `
[auth.dynamic.openapi.bearer]
path = "/api/v1/auth/login"
payload = { username = "\${FUZZ_USER}", password = "\${FUZZ_PASSWORD}" }
extract_selector = "/access_token"
retry_on = [401]
`;
type Caller = { readonly credentials: Record<string, string> } | { readonly token: string };

async function runSchemathesis(url: string, maxExamples: number, caller: Caller) {
  const python = await pythonVenv(REQUIREMENTS);
  const folder = await mkdtemp(join(tmpdir(), 'anneal-fuzz-')); // it leaves a cache and reports where it runs
  const logsIn = 'credentials' in caller;
  const config = join(folder, 'schemathesis.toml');
  await writeFile(config, (await readFile(CONFIG, 'utf8')) + (logsIn ? LOGGING_IN : ''));
  const program = ['-c', 'from schemathesis.cli import schemathesis; schemathesis()', '--config-file', config];
  const header = logsIn ? [] : ['--header', `Authorization: Bearer ${caller.token}`];
  const run = ['run', `${url}/openapi.json`, ...header, '--checks', 'all', '--max-examples', String(maxExamples)];
  const env = { ...process.env, NO_COLOR: '1', ...(logsIn ? caller.credentials : {}) };
  try {
    const options = { cwd: folder, maxBuffer: 256 * 1024 * 1024, env };
    const { stdout } = await promisify(execFile)(python, [...program, ...run], options);
    return { passed: true, report: stdout };
  } catch (error) {
    const { code, stdout = '', stderr = '' } = error as { code?: unknown; stdout?: string; stderr?: string };
    if (code !== 1) throw error;
    return { passed: false, report: `${stdout}${stderr}` };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
