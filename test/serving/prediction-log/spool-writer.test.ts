import { fdatasync, mkdirSync, rmSync, statSync, writeSync } from 'node:fs';
import { promisify } from 'node:util';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Disk } from '../../../serving/prediction-log/segment-file.ts';
import { SEGMENT_BYTES, SEGMENT_MS } from '../../../serving/prediction-log/segments.ts';
import { openSpoolWriter, type SpoolSettings } from '../../../serving/prediction-log/spool-writer.ts';
import { segmentsIn, temporarySpool, textIn } from './spools.ts';

// The clock stands still, so that no segment ends by age unasked.
beforeEach(() => void vi.setSystemTime(Date.now()));
afterEach(() => void vi.useRealTimers());

const SOON = { timeout: 60_000 };
type Write = Disk['write'];
const openWriter = (settings: SpoolSettings, changes: Partial<Disk> = {}) => {
  const onError = vi.fn();
  const disk: Disk = { write: writeSync, sync: promisify(fdatasync), ...changes };
  return { ...openSpoolWriter(settings, { name: 'main', onError, disk }), onError };
};
const diskFull = () => Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
const codes = async (all: readonly Promise<unknown>[]) =>
  (await Promise.allSettled(all)).map((one) =>
    one.status === 'fulfilled' ? 'kept' : (one.reason as { code: string }).code,
  );

test('what is committed in one turn is one write, and is on disk before any of it is answered', async () => {
  const { folder, settings } = await temporarySpool();
  const write = vi.fn<Write>(writeSync);
  const writer = openWriter(settings, { write });
  const seen = await Promise.all(['a\n', 'b\n', 'ü\n'].map((line) => writer.commit(line).then(() => textIn(folder))));
  expect(seen).toEqual(Array(3).fill('a\nb\nü\n'));
  expect(write).toHaveBeenCalledTimes(1);
  await writer.commit('c\n');
  expect(write).toHaveBeenCalledTimes(2);
  writer.append(Buffer.from('d\n'));
  expect(textIn(folder)).toBe('a\nb\nü\nc\nd\n');
  await writer.close();
});

test('closing keeps what was committed last', async () => {
  const { folder, settings } = await temporarySpool();
  const writer = openWriter(settings);
  const last = writer.commit('a\n');
  await writer.close();
  await last;
  expect(textIn(folder)).toBe('a\n');
});

test('a segment ends by size and by age, and a start begins a new one', async () => {
  const { folder, settings } = await temporarySpool();
  const first = openWriter(settings);
  await first.commit('a\n');
  expect(segmentsIn(folder)).toHaveLength(1);
  const large = `${'x'.repeat(SEGMENT_BYTES)}\n`;
  await first.commit(large);
  await first.commit('b\n');
  expect(segmentsIn(folder)).toHaveLength(2);
  vi.setSystemTime(Date.now() + SEGMENT_MS);
  await first.commit('c\n');
  vi.setSystemTime(Date.now() - 3_600_000); // the clock is put back
  await first.commit('d\n');
  expect(segmentsIn(folder)).toHaveLength(4);
  vi.useRealTimers();
  const second = openWriter(settings);
  await second.commit('e\n');
  expect(segmentsIn(folder)).toHaveLength(5);
  expect(textIn(folder).replace(large, '').split('\n').sort().join('')).toBe('abcde');
  await first.close();
  await second.close();
});

test('only its user can read a spool', async () => {
  const { folder, settings } = await temporarySpool();
  const writer = openWriter(settings);
  await writer.commit('a\n');
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(statSync(join(folder, segmentsIn(folder)[0]!)).mode & 0o777).toBe(0o600);
  await writer.close();
});

test('a disk that is full in the middle of a line refuses that turn, keeps every other and leaves nothing torn', async () => {
  const { folder, settings, read } = await temporarySpool();
  let room = 7;
  const write: Write = (fd, bytes, offset, length) => {
    if (room === 0) throw diskFull();
    const written = writeSync(fd, bytes, offset, Math.min(length, room));
    room -= written;
    return written;
  };
  const writer = openWriter(settings, { write });
  await writer.commit('first\n');
  expect(await codes([writer.commit('second\n'), writer.commit('third\n')])).toEqual(['UNAVAILABLE', 'UNAVAILABLE']);
  expect(await codes([writer.commit('fourth\n')])).toEqual(['UNAVAILABLE']);
  room = Infinity;
  await writer.commit('fifth\n');
  expect(textIn(folder)).toBe('first\nfifth\n');
  expect(segmentsIn(folder)).toHaveLength(2);
  expect(read('refused')).toBe(3);
  expect(read('used')).toBe(12);
  expect(writer.onError).toHaveBeenCalledTimes(1);
  await expect(writer.commit('sixth\n')).resolves.toBeUndefined();
  await writer.close();
});

test('a spool whose folder is gone refuses, and goes on when it can be written again', async () => {
  const { folder, settings } = await temporarySpool();
  const writer = openWriter(settings);
  rmSync(folder, { recursive: true });
  await expect(writer.commit('a\n')).rejects.toMatchObject({ code: 'UNAVAILABLE', retryAfterSeconds: 1 });
  mkdirSync(folder);
  await writer.commit('b\n');
  expect(textIn(folder)).toBe('b\n');
  await writer.close();
});

test('without room lines are refused with the time to try again, and taken when there is room', async () => {
  const { settings, read } = await temporarySpool({ maxBytes: 10 });
  const writer = openWriter(settings);
  expect(await codes([writer.commit('12345\n'), writer.commit('12345\n'), writer.commit('123\n')])).toEqual([
    ...['kept', 'UNAVAILABLE', 'kept'],
  ]);
  await expect(writer.commit('1\n2\n')).rejects.toMatchObject({ code: 'UNAVAILABLE', retryAfterSeconds: 5 });
  expect(() => writer.append(Buffer.from('1\n'))).toThrow('full');
  expect(read('refused')).toBe(4);
  await writer.close();
});

test('told to drop, it answers without keeping: when there is no room, and when the disk is full', async () => {
  const { folder, settings, read } = await temporarySpool({ maxBytes: 10, whenFull: 'drop' });
  const writer = openWriter(settings);
  await Promise.all([writer.commit('1234567\n'), writer.commit('a\nb\n')]);
  writer.append(Buffer.from('c\nd\n'));
  expect(textIn(folder)).toBe('1234567\n');
  expect([read('dropped'), read('refused')]).toEqual([4, 0]);
  const write = () => {
    throw diskFull();
  };
  const failing = openWriter(settings, { write });
  await failing.commit('e\n');
  expect([read('dropped'), read('refused')]).toEqual([5, 0]);
  await Promise.all([writer.close(), failing.close()]);
});

test('writers of one spool share its room, each with segments of its own', async () => {
  const { folder, settings, read } = await temporarySpool({ maxBytes: 10 });
  const [one, two] = [openWriter(settings), openSpoolWriter(settings, { name: 'bulk', onError: vi.fn() })];
  await one.commit('12345\n');
  expect(() => two.append(Buffer.from('12345\n'))).toThrow('full');
  two.append(Buffer.from('123\n'));
  expect(read('used')).toBe(10);
  expect(segmentsIn(folder)).toHaveLength(2);
  await Promise.all([one.close(), two.close()]);
});

test('what was written is sent to the disk in the background; a disk that fails at it is told, and the next line goes to a new file', async () => {
  const { folder, settings } = await temporarySpool({ syncMs: 5 });
  const sync = vi.fn<Disk['sync']>(() => Promise.resolve());
  const writer = openWriter(settings, { sync });
  await writer.commit('a\n');
  await vi.waitFor(() => expect(sync).toHaveBeenCalledTimes(1), SOON);
  await delay(20);
  expect(sync).toHaveBeenCalledTimes(1); // nothing new, nothing to send
  sync.mockRejectedValueOnce(new Error('EIO'));
  await writer.commit('b\n');
  await vi.waitFor(() => expect(writer.onError).toHaveBeenCalledTimes(1), SOON);
  await writer.commit('c\n');
  expect(textIn(folder)).toBe('a\nb\nc\n');
  expect(segmentsIn(folder)).toHaveLength(2);
  await writer.close();
  expect(sync).toHaveBeenCalledTimes(3);
});
