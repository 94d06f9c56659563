import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as delay } from 'node:timers/promises';
import { PlatformError } from './errors.ts';
import type { GuardOrder, GuardReport } from './guard.ts';

export interface ProgramOptions extends Omit<GuardOrder, 'signal' | 'graceMs' | 'args'> {
  /** For messages: 'Postgres', 'Temporal'. */
  readonly name: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** Output is appended here; errors quote its end. */
  readonly logFile: string;
  /** Remembers the guard, for `predecessorEnded` at the next start. */
  readonly pidFile: string;
  readonly signal?: GuardOrder['signal'];
  readonly graceMs?: number;
}
export interface LoggedProgram extends Pick<ProgramOptions, 'name' | 'logFile'> {
  /** How a person reads a line of the log. */
  readonly readable?: (line: string) => string;
}
export interface Program {
  readonly pid: number;
  /** Settles when the program has ended, with its exit code. */
  readonly ended: Promise<number>;
  /** Asks it to stop, kills it after the grace time, and waits for its end. Harmless when it has ended. */
  readonly stop: () => Promise<void>;
}

const GUARD = fileURLToPath(new URL('guard.ts', import.meta.url));

/** Starts a program that does not outlive this process, not even after kill -9. Throws UNAVAILABLE when it does not start. */
export async function startProgram(options: ProgramOptions): Promise<Program> {
  const { command, args, cwd, uid, gid, signal = 'SIGTERM', graceMs = 10_000 } = options;
  const order: GuardOrder = { command, args, cwd, uid, gid, signal, graceMs };
  const log = openLog(options.logFile);
  // Its own process group: Ctrl-C in the terminal must reach only Anneal, which then stops things in order.
  const guard = spawn(process.execPath, ['--no-warnings', GUARD, JSON.stringify(order)], {
    stdio: ['ignore', log, log, 'ipc'],
    env: options.env ?? process.env,
    detached: true,
  });
  closeSync(log);
  if (guard.pid !== undefined) writeFileSync(options.pidFile, `${guard.pid}\n`);
  const ended = once(guard, 'exit').then(([code]) => (code as number | null) ?? 1);
  const pid = await startedPid(guard, ended, options.name);
  // If the guard itself is killed, its program would be left behind.
  void ended.then(() => guard.signalCode && kill(pid, 'SIGKILL'));
  const stop = async () => {
    if (guard.connected) guard.disconnect();
    await ended;
  };
  return { pid, ended, stop };
}

/**
 * Asks `answers` until it says true. Throws UNAVAILABLE, with the end of the log, when the program ends first or does
 * not answer in time.
 */
export async function waitUntilReady(
  program: Program,
  { name, logFile, readable = (line) => line }: LoggedProgram,
  answers: () => Promise<boolean>,
  timeoutMs = 60_000,
): Promise<void> {
  let exit: number | undefined;
  let isLate = false;
  // Who takes a question may never answer it.
  const ended = program.ended.then((code) => void (exit = code));
  const late = delay(timeoutMs, undefined, { ref: false }).then(() => void (isLate = true));
  while (!isLate && exit === undefined) {
    if (await Promise.race([answers().catch(() => false), ended, late])) return;
    await delay(50);
  }
  const what = exit === undefined ? `did not answer within ${timeoutMs / 1000} s` : `ended with status ${exit}`;
  await program.stop(); // it ends by this, too
  throw new PlatformError(
    'UNAVAILABLE',
    `${name} ${what}. The end of its log:\n${tail(logFile).map(readable).join('\n')}`,
  );
}

/** Ends a child with SIGTERM, and with SIGKILL when it has not ended after `graceMs`; `ended` settles when it has. */
export async function endChild(child: ChildProcess, ended: Promise<unknown>, graceMs: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
  await ended;
  clearTimeout(timer);
}

/**
 * After kill -9 of the last owner its program takes a moment to stop: waits for that, so that ports and data are free.
 * `word` is in its command line. Throws CONFLICT when it does not end in time.
 */
export async function predecessorEnded(pidFile: string, word = 'guard.ts', timeoutMs = 15_000): Promise<void> {
  const pid = readPid(pidFile);
  const deadline = Date.now() + timeoutMs;
  while (pid !== undefined && isAliveAs(pid, word)) {
    if (Date.now() > deadline)
      throw new PlatformError('CONFLICT', `process ${pid} of an earlier start is still running`);
    await delay(50);
  }
}

/** The first line of a pid file as a number, or undefined when there is none. */
export function readPid(path: string): number | undefined {
  if (!existsSync(path)) return undefined;
  const pid = Number.parseInt(readFileSync(path, 'utf8'), 10);
  return pid > 0 ? pid : undefined;
}

/** Is it a process, with `word` in its command line? On Linux a thread may bear the number that an earlier process had. */
export function isAliveAs(pid: number, word: string): boolean {
  if (!isAlive(pid) || process.platform !== 'linux') return isAlive(pid);
  try {
    const isProcess = readFileSync(`/proc/${pid}/status`, 'utf8').includes(`\nTgid:\t${pid}\n`);
    return isProcess && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(word);
  } catch {
    return false; // it has just ended
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function startedPid(guard: ChildProcess, ended: Promise<number>, name: string): Promise<number> {
  const [report] = await Promise.race([
    once(guard, 'message') as Promise<[GuardReport]>,
    ended.then((code): [GuardReport] => [{ failed: `its guard ended with status ${code}` }]),
  ]);
  if ('pid' in report) return report.pid;
  throw new PlatformError('UNAVAILABLE', `${name} cannot be started: ${report.failed}`);
}

function openLog(path: string): number {
  mkdirSync(dirname(path), { recursive: true });
  return openSync(path, 'a');
}

function kill(pid: number, signal: NodeJS.Signals): void {
  if (isAlive(pid)) process.kill(pid, signal);
}

const tail = (path: string) => readFileSync(path, 'utf8').trimEnd().split('\n').slice(-15);
