import { existsSync, readdirSync, statSync } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { PlatformError } from '../lib/errors.ts';

const FOLDERS = ['logs', 'postgres', 'temporal'];
const LAST_LINES = 100;
const TAIL_BYTES = 256 * 2 ** 10;
const LOOK_EVERY_MS = 250;

/**
 * The log of a service of this home: one of `anneal up`, an embedded server, or one of `anneal stack`; where several have
 * the name, the one written last. Throws NOT_FOUND naming those there are.
 */
export function logFileOf(home: string, service: string): string {
  const folders = [...FOLDERS.map((folder) => join(home, folder)), ...entriesOf(join(home, 'stack', 'logs'))];
  const files = folders.flatMap(entriesOf).filter((file) => file.endsWith('.log'));
  const [newest] = files
    .filter((file) => serviceOf(file) === service)
    .sort((one, other) => statSync(other).mtimeMs - statSync(one).mtimeMs);
  if (newest !== undefined) return newest;
  const names = [...new Set(files.map(serviceOf))].sort();
  const known = names.length === 0 ? 'nothing has run there yet' : `there are ${names.join(', ')}`;
  throw new PlatformError('NOT_FOUND', `${home} has no log of '${service}'; ${known}`);
}

const entriesOf = (folder: string) => (existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : []);

const serviceOf = (file: string) => basename(file, '.log').replace(/-json$/, '');

/** The last lines of a file, and with `follow` what is added to it until the signal is given. */
export async function* logLines(
  file: string,
  { follow, signal }: { readonly follow: boolean; readonly signal?: AbortSignal },
): AsyncGenerator<string> {
  let { size, ino } = await stat(file);
  const start = Math.max(0, size - TAIL_BYTES);
  let read = await wholeLines(file, start, size);
  yield* read.lines.slice(start > 0 ? 1 : 0).slice(-LAST_LINES);
  while (follow && !signal?.aborted) {
    await delay(LOOK_EVERY_MS, undefined, { signal }).catch(() => {});
    const now = await stat(file).catch(() => null);
    if (now === null) continue; // it is being replaced
    if (now.ino !== ino || now.size < read.end) read = { lines: [], end: 0 };
    ({ ino, size } = now);
    if (size === read.end) continue;
    read = await wholeLines(file, read.end, size);
    yield* read.lines;
  }
}

/** Bytes [start, end) up to the last line end: the lines, and where they end. */
async function wholeLines(file: string, start: number, end: number): Promise<{ lines: string[]; end: number }> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(end - start), 0, end - start, start);
    const whole = buffer.subarray(0, bytesRead).lastIndexOf('\n') + 1;
    const lines = whole === 0 ? [] : buffer.toString('utf8', 0, whole - 1).split('\n');
    return { lines, end: start + whole };
  } finally {
    await handle.close();
  }
}

/** What the service printed: Docker, and `anneal stack` with it, wraps each line. */
export function printedBy(line: string): string {
  const wrapped = parseObject(line)?.['log'];
  return typeof wrapped === 'string' ? wrapped.trimEnd() : line;
}

/** A line as a person reads it: time, level, message, then the other fields; the stack of an error below. */
export function readableLog(line: string): string {
  const record = parseObject(line);
  if (typeof record?.['msg'] !== 'string') return line; // of a server of others, or a crash
  const { time, level, msg, err, ...fields } = record;
  const more = Object.entries(fields).map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`); // prettier-ignore
  const stack = (err as { stack?: string } | undefined)?.stack;
  return [[String(time), String(level).toUpperCase(), msg, ...more].join(' '), ...(stack === undefined ? [] : [stack])].join('\n'); // prettier-ignore
}

function parseObject(line: string): Record<string, unknown> | null {
  try {
    return JSON.parse(line) as Record<string, unknown> | null;
  } catch {
    return null;
  }
}
