import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { PlatformError } from '../../../lib/errors.ts';
import { predictionId } from '../../../serving/prediction-id.ts';
import { singleLines } from '../../../serving/prediction-log/batch-line.ts';
import { createFolderShipper } from '../../../serving/prediction-log/folder-shipper.ts';
import { segmentName } from '../../../serving/prediction-log/segments.ts';
import { exampleBatch, lineOf } from './examples.ts';
import { segmentsIn, temporarySpool } from './spools.ts';

const MINUTE_MS = 60_000;
const away = () => new PlatformError('UNAVAILABLE', 'predictions were not stored (no connection)');
const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);
const linesOf = (all: readonly (number | string)[]) => all.map((one) => `${one}\n`).join('');

// The clock stands still: a segment that may just be written to stays so.
beforeEach(() => void vi.setSystemTime(Date.now()));
afterEach(() => void vi.useRealTimers());

/** A spool and a table in memory; `refuse` says which lines Postgres would not take. */
async function createShipping() {
  const { folder } = await temporarySpool();
  mkdirSync(folder);
  const batches: string[][] = [];
  const table = new Set<string>();
  let refuse = (_line: string): Error | null => null;
  const insert = vi.fn((text: string) => {
    const lines = text.trimEnd().split('\n');
    const error = lines.map((line) => refuse(line)).find((one) => one !== null);
    if (error) return Promise.reject(error);
    batches.push(lines);
    for (const line of lines) table.add(line);
    return Promise.resolve();
  });
  const onRejected = vi.fn();
  const start = () => createFolderShipper({ folder, insert, onRejected });
  return {
    ...{ folder, batches, table, insert, onRejected, start },
    refuse: (rule: typeof refuse) => void (refuse = rule),
    write: (writer: string, sequence: number, text: string, ageMs = 0) => {
      const path = join(folder, segmentName(Date.now() - ageMs, writer, sequence));
      writeFileSync(path, text, { flag: 'a' });
      return path;
    },
  };
}

test('lines go out in batches of 500, in their order, once; a later start goes on where the earlier one was', async () => {
  const { write, start, batches } = await createShipping();
  const path = write('main', 1, linesOf(numbers(0, 1200)));
  const first = start();
  expect(await first.ship()).toBe(false);
  expect(batches.map((batch) => batch.length)).toEqual([500, 500, 200]);
  writeFileSync(path, linesOf([1200]), { flag: 'a' });
  const second = start();
  expect(await second.ship()).toBe(false);
  expect(batches.flat()).toEqual(numbers(0, 1201).map(String));
  expect([first.shipped(), second.shipped()]).toEqual([1200, 1]);
});

test('a large backlog is shipped in parts, so that others get a turn', async () => {
  const { write, start, batches } = await createShipping();
  write('main', 1, linesOf(numbers(0, 12_000)), MINUTE_MS);
  write('main', 2, linesOf(numbers(12_000, 12_001)));
  const shipper = start();
  expect(await shipper.ship()).toBe(true);
  expect(batches).toHaveLength(20);
  expect(await shipper.ship()).toBe(false);
  expect(batches.flat()).toEqual(numbers(0, 12_001).map(String));
});

test('a torn line waits for its end, and goes with the segment when nobody can finish it', async () => {
  const { write, start, batches, folder } = await createShipping();
  const path = write('main', 1, '1\n2');
  const shipper = start();
  await shipper.ship();
  expect(batches.flat()).toEqual(['1']);
  writeFileSync(path, '3\n4', { flag: 'a' });
  await shipper.ship();
  expect(batches.flat()).toEqual(['1', '23']);
  expect(segmentsIn(folder)).toHaveLength(1);
  write('main', 2, '');
  await shipper.ship();
  expect(batches.flat()).toEqual(['1', '23']);
  expect(segmentsIn(folder)).toEqual([expect.stringContaining('-main-2')]);
});

test('a segment stays while somebody may write to it: until its writer has a later one, or it is too old to be written', async () => {
  const { write, start, folder } = await createShipping();
  write('other', 1, '1\n');
  write('killed', 7, '2\n', 60_000);
  write('long-gone', 3, '3\n', 2 * MINUTE_MS);
  write('main', 1, '4\n', 30_000);
  write('main', 2, '5\n');
  const shipper = start();
  await shipper.ship();
  const left = segmentsIn(folder).map((name) => name.slice('1234567890123-'.length));
  expect(left.sort()).toEqual(['killed-7.jsonl', 'main-2.jsonl', 'other-1.jsonl']);
  expect(shipper.shipped()).toBe(5);
});

test('nothing is lost or skipped while the table cannot be reached', async () => {
  const { write, start, refuse, batches, folder } = await createShipping();
  write('main', 1, linesOf(numbers(0, 700)), 2 * MINUTE_MS);
  refuse((line) => (line === '600' ? away() : null));
  const shipper = start();
  await expect(shipper.ship()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await expect(shipper.ship()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect(segmentsIn(folder)).toHaveLength(1);
  expect(batches.flat()).toEqual(numbers(0, 500).map(String));
  refuse(() => null);
  await shipper.ship();
  expect(batches.flat()).toEqual(numbers(0, 700).map(String));
  expect(segmentsIn(folder)).toHaveLength(0);
});

test('lines that can never be stored are put aside, and hold up nothing', async () => {
  const { write, start, refuse, table, insert, onRejected, folder } = await createShipping();
  const bad = ['0', '250', '251', '499', '777'];
  refuse((line) => (bad.includes(line) ? new PlatformError('INVALID', 'SQLSTATE 22P02') : null));
  write('main', 1, linesOf(numbers(0, 778)));
  const shipper = start();
  expect(await shipper.ship()).toBe(false);
  expect([...table].sort()).toEqual(numbers(0, 778).map(String).filter((line) => !bad.includes(line)).sort()); // prettier-ignore
  expect(readFileSync(join(folder, 'rejected.jsonl'), 'utf8')).toBe(linesOf(bad));
  expect([shipper.shipped(), shipper.rejected()]).toEqual([773, 5]);
  expect(onRejected).toHaveBeenCalledTimes(5);
  expect(insert.mock.calls.length).toBeLessThan(100);
  await shipper.ship();
  expect(onRejected).toHaveBeenCalledTimes(5);
  refuse(() => null);
  renameSync(join(folder, 'rejected.jsonl'), join(folder, '0000000000000-rejected-1.jsonl')); // docs/prediction-log.md
  await shipper.ship();
  expect(table.size).toBe(778);
  expect(segmentsIn(folder)).toEqual([expect.stringContaining('-main-1')]);
});

test('lines of several predictions count as what they hold, and only those of them that cannot be stored are put aside', async () => {
  const { write, start, refuse, table, batches, onRejected, folder } = await createShipping();
  const bad = predictionId();
  const batch = (changes = {}) => lineOf(exampleBatch(changes));
  const many = batch({ rows: 300 });
  const spoiled = exampleBatch({ ids: [predictionId(), bad, predictionId()] });
  const damaged = '{"rows":4,"ids":[\n';
  refuse((line) =>
    line.includes(bad) || `${line}\n` === damaged ? new PlatformError('INVALID', 'SQLSTATE 22P02') : null,
  );
  write('main', 1, `1\n${many}2\n${many}${lineOf(spoiled)}${damaged}`);
  const shipper = start();
  await shipper.ship();
  expect(batches[0]).toEqual(['1', many.trimEnd(), '2']);
  expect([...table].filter((line) => line.startsWith('{"id"')).map((line) => (JSON.parse(line) as { id: string }).id)).toEqual([spoiled.ids[0], spoiled.ids[2]]); // prettier-ignore
  expect(readFileSync(join(folder, 'rejected.jsonl'), 'utf8')).toBe(`${singleLines(lineOf(spoiled))[1]}${damaged}`);
  expect(onRejected).toHaveBeenCalledTimes(2);
});

test('a line may be longer than what is read at once, and characters are never cut', async () => {
  const { write, start, batches } = await createShipping();
  const long = 'ü€🎉'.repeat(100_000);
  write('main', 1, linesOf(['a', long, 'b', long]));
  await start().ship();
  expect(batches.flat()).toEqual(['a', long, 'b', long]);
});

test('several may ship one spool at once', async () => {
  const { write, start, table, folder } = await createShipping();
  for (const sequence of [1, 2, 3, 4]) write('main', sequence, linesOf(numbers(sequence * 1000, sequence * 1000 + 900)), 2 * MINUTE_MS); // prettier-ignore
  const shippers = [start(), start(), start()];
  for (let round = 0; round < 3; round++) await Promise.all(shippers.map((shipper) => shipper.ship()));
  expect(table.size).toBe(3600);
  expect(segmentsIn(folder)).toEqual([]);
});

test('a position that is lost or beyond the end does no harm', async () => {
  const { write, start, batches, folder } = await createShipping();
  const path = write('main', 1, linesOf(numbers(0, 10)));
  await start().ship();
  writeFileSync(join(folder, 'positions.json'), '{"trunc');
  await start().ship();
  expect(batches).toHaveLength(2);
  writeFileSync(path, '0\n'); // a power cut took the rest
  utimesSync(path, 0, 0);
  const shipper = start();
  await shipper.ship();
  expect(await shipper.measure()).toMatchObject({ bytes: 2, settledBytes: 2, waitingSinceMs: null });
});

test('measuring counts what is on disk and what of it waits', async () => {
  const { write, start, refuse } = await createShipping();
  const shipper = start();
  expect(await shipper.measure()).toEqual({ bytes: 0, settledBytes: 0, waitingSinceMs: null });
  const openedMs = Date.now() - 30_000;
  write('a', 1, '1\n2\n', MINUTE_MS);
  write('b', 1, 'bad\n', 30_000);
  await shipper.ship();
  refuse(() => away());
  write('b', 2, '33\n');
  await shipper.ship().catch(() => undefined);
  const measured = await shipper.measure();
  expect(measured).toMatchObject({ bytes: 7, settledBytes: 4 });
  expect(measured.waitingSinceMs).toBeGreaterThan(openedMs);
});

test('a folder that is not there has nothing to ship', async () => {
  const { folder, start } = await createShipping();
  rmSync(folder, { recursive: true });
  expect(await start().ship()).toBe(false);
  expect(existsSync(folder)).toBe(false);
});
