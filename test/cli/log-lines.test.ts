import { expect, test } from 'vitest';
import { messageOf, readableLine, toLogLine } from '../../cli/log-lines.ts';

test('a log record stays as it is; other output becomes one', () => {
  const record = { level: 'error', time: '2026-01-02T03:04:05.000Z', service: 'api', msg: 'broken' };
  expect(toLogLine(JSON.stringify(record), 'api', 'info')).toEqual(record);
  expect(toLogLine('Error: crash', 'api', 'warn')).toMatchObject({
    level: 'warn',
    service: 'api',
    msg: 'Error: crash',
  });
  expect(toLogLine('{"a":1}', 'api', 'info')).toMatchObject({ level: 'info', msg: '{"a":1}' });
});

test('warnings and worse are shown with their reason, the rest is not', () => {
  const line = {
    level: 'error',
    time: '2026-01-02T03:04:05.000Z',
    service: 'api',
    msg: 'no answer',
    err: { message: 'refused' },
  };
  expect(readableLine(line)).toBe('03:04:05 ERROR api: no answer: refused');
  expect(readableLine({ ...line, level: 'info' })).toBeUndefined();
});

test('a line of a log file reads as its message', () => {
  expect(messageOf('{"level":"error","time":"","service":"api","msg":"broken","err":{"message":"refused"}}')).toBe(
    'broken: refused',
  );
  expect(messageOf('plain')).toBe('plain');
});
