import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { PlatformError } from './errors.ts';
import { outputOf, type TaskOutcome } from './task-outcome.ts';
import { createTurns, type TurnsOptions } from './turns.ts';

/** Work on a file nobody trusts, in a process of its own. */
export interface LimitedWork {
  /** A module that runs `answerLimited` (lib/limited-task.ts). It gets no environment. */
  readonly script: URL;
  /** Resident memory of the whole process; Node itself takes about 60 MB of it. Watched on Linux; elsewhere only the JavaScript heap is. */
  readonly memoryBytes: number;
  /** From the start of the process, which takes 0.1 to 0.5 s itself. */
  readonly timeoutMs: number;
  /** The error when the process goes beyond a limit or is ended by a signal. `message` says which, without a subject. */
  readonly refuse: (rule: LimitRule, message: string) => PlatformError;
}
export type LimitRule = 'memory' | 'time' | 'crash';
export type LimitedProcesses = ReturnType<typeof createLimitedProcesses>;

/**
 * Runs `work` with a JSON input and gives its JSON output. A PlatformError of the script arrives as one; beyond a limit
 * it is what `refuse` makes. Throws UNAVAILABLE when too many wait already.
 */
export function createLimitedProcesses(options: TurnsOptions) {
  const inTurn = createTurns(options);
  return <Output>(work: LimitedWork, input: unknown, signal?: AbortSignal): Promise<Output> =>
    inTurn(async () => {
      signal?.throwIfAborted();
      return (await runLimited(work, input, signal)) as Output;
    });
}

const MAX_OUTPUT_BYTES = 4 * 2 ** 20;
const WATCH_MS = 20;

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

async function runLimited(work: LimitedWork, input: unknown, signal?: AbortSignal): Promise<unknown> {
  const heapMb = Math.floor(work.memoryBytes / 2 ** 20);
  const child = spawn(
    process.execPath,
    ['--no-warnings', `--max-old-space-size=${heapMb}`, fileURLToPath(work.script)],
    { env: {}, stdio: ['pipe', 'pipe', 'pipe'] },
  );
  const kill = () => child.kill('SIGKILL');
  const limits = watchLimits(child, work);
  signal?.addEventListener('abort', kill, { once: true });
  child.stdin.on('error', () => undefined); // it may have ended before it read everything
  child.stdin.end(JSON.stringify(input));
  try {
    const [output, errors, [code, endedBy]] = await Promise.all([
      text(child.stdout, kill),
      text(child.stderr, kill),
      once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>,
    ]);
    signal?.throwIfAborted();
    if (limits.broken) throw work.refuse(...limits.broken);
    if (endedBy) throw work.refuse('crash', `ended with ${endedBy}`);
    if (code !== 0) throw new Error(`${work.script.pathname} ended with status ${code}: ${errors.slice(-2000)}`);
    return outputOf(JSON.parse(output) as TaskOutcome);
  } finally {
    limits.stop();
    signal?.removeEventListener('abort', kill);
    kill();
  }
}

function watchLimits(child: Child, { memoryBytes, timeoutMs }: LimitedWork) {
  const watch: { broken?: [LimitRule, string]; stop: () => void } = { stop };
  const breaks = (rule: LimitRule, message: string) => {
    watch.broken ??= [rule, message];
    child.kill('SIGKILL');
  };
  const timer = setTimeout(() => breaks('time', `took longer than ${timeoutMs / 1000} s`), timeoutMs);
  const memory = setInterval(() => {
    void residentBytes(child.pid).then((bytes) => {
      if (bytes > memoryBytes) breaks('memory', `needed more than ${Math.floor(memoryBytes / 2 ** 20)} MiB of memory`);
    });
  }, WATCH_MS);
  function stop(): void {
    clearTimeout(timer);
    clearInterval(memory);
  }
  return watch;
}

/** 0 when it cannot be known: the process has ended, or the system is not Linux. */
async function residentBytes(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return 1024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0);
}

async function text(stream: Readable, kill: () => void): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_OUTPUT_BYTES) kill();
    else chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
