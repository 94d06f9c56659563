import { appendFile, mkdir, rename, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { logFileOf, logLines, printedBy, readableLog } from '../../cli/logs.ts';
import { temporaryFolder } from '../platform.ts';

const SOON = { timeout: 60_000 };

async function home(files: Record<string, string>) {
  const { path, remove } = await temporaryFolder('logs');
  onTestFinished(remove);
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(path, name, '..'), { recursive: true });
    await writeFile(join(path, name), text);
  }
  return path;
}
async function linesOf(file: string) {
  const lines: string[] = [];
  for await (const line of logLines(file, { follow: false })) lines.push(line);
  return lines;
}
const numbered = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => `line ${from + i}\n`).join('');

test('the log of a service or an embedded server is found, and an unknown one is told with those there are', async () => {
  const path = await home({
    'logs/api.log': '',
    'logs/serving.log': '',
    'postgres/postgres.log': '',
    'logs/api.log.1': '',
  });
  expect(logFileOf(path, 'api')).toBe(join(path, 'logs', 'api.log'));
  expect(logFileOf(path, 'postgres')).toBe(join(path, 'postgres', 'postgres.log'));
  const stack = join(path, 'stack/logs/api/api-json.log');
  await mkdir(join(stack, '..'), { recursive: true });
  await writeFile(stack, '');
  await utimes(stack, new Date(), Date.now() / 1000 + 60);
  expect(logFileOf(path, 'api')).toBe(stack);
  expect(() => logFileOf(path, 'web')).toThrow(/no log of 'web'; there are api, postgres, serving$/);
  expect(() => logFileOf(join(path, 'elsewhere'), 'api')).toThrow(/nothing has run there yet/);
});

test('the last hundred lines are shown, whole, of a long file too', async () => {
  const path = await home({ short: numbered(0, 5), long: numbered(0, 100_000) });
  expect(await linesOf(join(path, 'short'))).toEqual(numbered(0, 5).trim().split('\n'));
  const long = await linesOf(join(path, 'long'));
  expect(long).toEqual(numbered(99_900, 100_000).trim().split('\n'));
});

test('following shows what is added, line by line, and goes on in the file that replaces it', async () => {
  const path = await home({ log: 'before\n' });
  const file = join(path, 'log');
  const stopped = new AbortController();
  const seen: string[] = [];
  const following = (async () => {
    for await (const line of logLines(file, { follow: true, signal: stopped.signal })) seen.push(line);
  })();
  await vi.waitFor(() => expect(seen).toEqual(['before']), SOON);
  await appendFile(file, 'half a ');
  await appendFile(file, 'line é\nand');
  await vi.waitFor(() => expect(seen).toEqual(['before', 'half a line é']), SOON);
  await appendFile(file, ' more\n');
  await vi.waitFor(() => expect(seen.at(-1)).toBe('and more'), SOON);
  await rename(file, `${file}.1`);
  await writeFile(file, 'anew\n');
  await vi.waitFor(() => expect(seen.at(-1)).toBe('anew'), SOON);
  stopped.abort();
  await following;
});

test('a record is a line to read, with its fields and the stack of its error; other lines stay as they are', () => {
  const record = {
    level: 'warn',
    time: '2026-11-21T19:20:45.123Z',
    service: 'api',
    run_id: 'r-1',
    status: 502,
    msg: 'slow',
  };
  expect(readableLog(JSON.stringify(record))).toBe(
    '2026-11-21T19:20:45.123Z WARN slow service=api run_id=r-1 status=502',
  );
  expect(readableLog(JSON.stringify({ ...record, err: { message: 'no', stack: 'Error: no\n    at x' } }))).toBe(
    '2026-11-21T19:20:45.123Z WARN slow service=api run_id=r-1 status=502\nError: no\n    at x',
  );
  for (const line of ['LOG:  checkpoint complete', '{"a":1}', 'null', '']) expect(readableLog(line)).toBe(line);
});

test('what Docker wraps is unwrapped, and nothing else is', () => {
  const record = '{"level":"info","msg":"started"}';
  expect(printedBy(JSON.stringify({ log: `${record}\n`, stream: 'stdout', time: '2026-11-21T19:20:45.123Z' }))).toBe(
    record,
  );
  for (const line of [record, 'plain', '7', 'null']) expect(printedBy(line)).toBe(line);
});
