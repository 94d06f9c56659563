import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { startProgram, waitUntilReady, type Program } from './child-process.ts';
import { PlatformError } from './errors.ts';
import { onPath } from './go-install.ts';
import { runAs, type Account } from './server-account.ts';

export interface NginxOptions {
  /** Path of the `nginx` program, from `findNginx`. */
  readonly program: string;
  /** Folder of `*.template` files, one of which makes `nginx.conf`. */
  readonly templates: string;
  /** Gets the configuration, the log, and what nginx writes. Made when absent. */
  readonly folder: string;
  /** Values for the templates, which must name what nginx may write to. */
  readonly variables: (writable: WritablePaths) => Readonly<Record<string, string>>;
  readonly answers: () => Promise<boolean>;
}
export interface WritablePaths {
  readonly runFolder: string;
  readonly logFile: string;
}
export interface Nginx extends Pick<Program, 'pid' | 'ended' | 'stop'> {
  readonly logFile: string;
}

const SYSTEM_PATH = '/usr/sbin/nginx';
const VARIABLE = /\$\{([A-Z][A-Z0-9_]*)\}/g;

/** Where nginx is: PATH, or Debian's folder for servers, which is seldom on it. Undefined when it is not installed. */
export const findNginx = (env: NodeJS.ProcessEnv = process.env): string | undefined =>
  onPath('nginx', env) ?? (existsSync(SYSTEM_PATH) ? SYSTEM_PATH : undefined);

/**
 * Fills in `${VARIABLES}` as envsubst in the official nginx image does; nginx's own variables are lower case and stay.
 * Throws INVALID naming each that has no value, which envsubst would leave standing.
 */
export function renderTemplate(text: string, variables: Readonly<Record<string, string>>): string {
  const names = [...new Set([...text.matchAll(VARIABLE)].map(([, name]) => name!))];
  const missing = names.filter((name) => variables[name] === undefined);
  if (missing.length === 0) return text.replace(VARIABLE, (_, name: string) => variables[name]!);
  const details = missing.map((path) => ({ path, rule: 'required', message: 'is not set' }));
  throw new PlatformError('INVALID', `variables of the nginx templates are not set: ${missing.join(', ')}`, {
    details,
  });
}

/**
 * Renders the templates, lets nginx check them, and starts it; as root it runs as an unprivileged user, who must be able
 * to read the certificate's key. Throws INVALID with what nginx says of its configuration, UNAVAILABLE.
 */
export async function startNginx(options: NginxOptions): Promise<Nginx> {
  const folder = resolve(options.folder);
  const runFolder = join(folder, 'run');
  const logFile = join(folder, 'nginx.log');
  await mkdir(runFolder, { recursive: true });
  await chmod(folder, 0o711); // the server's user must pass it
  await writeFile(logFile, '', { flag: 'a' });
  const account = await runAs([options.program, runFolder]);
  for (const path of account.uid === undefined ? [] : [runFolder, logFile])
    await chown(path, account.uid!, account.gid!);
  await renderTemplates(options.templates, folder, options.variables({ runFolder, logFile }));

  const args = ['-e', 'stderr', '-p', folder, '-c', join(folder, 'nginx.conf')];
  await checkConfiguration(account, options.program, args);
  const program = {
    name: 'nginx',
    logFile,
    pidFile: join(folder, 'nginx-guard.pid'),
    ...account.command(options.program, args),
    signal: 'SIGQUIT' as const, // answers what is under way first
  };
  const nginx = await startProgram(program);
  await waitUntilReady(nginx, program, options.answers);
  return { ...nginx, logFile };
}

/** Writes each `*.template` of a folder, filled in, without that ending. Throws INVALID. */
export async function renderTemplates(
  from: string,
  to: string,
  variables: Readonly<Record<string, string>>,
): Promise<void> {
  const names = (await readdir(from)).filter((name) => name.endsWith('.template'));
  for (const name of names) {
    const text = renderTemplate(await readFile(join(from, name), 'utf8'), variables);
    await writeFile(join(to, name.replace(/\.template$/, '')), text);
  }
}

async function checkConfiguration(account: Account, program: string, args: readonly string[]): Promise<void> {
  const { command, args: all, uid, gid } = account.command(program, ['-t', ...args]);
  try {
    await promisify(execFile)(command, all, { uid, gid });
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string };
    throw new PlatformError('INVALID', `nginx refuses its configuration:\n${stderr || message}`, { cause: error });
  }
}
