import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createLogger, hideCredentials, withLogFields } from '../../lib/log.ts';

function capture() {
  const lines: string[] = [];
  const log = createLogger({ service: 'api', destination: { write: (line: string) => void lines.push(line) } });
  return { log, text: () => lines.join(''), last: () => JSON.parse(lines.at(-1)!) as Record<string, unknown> };
}

test('a line is JSON with service, level and time', () => {
  const { log, last } = capture();
  log.warn({ rows: 3 }, 'uneven');
  expect(last()).toMatchObject({ service: 'api', level: 'warn', msg: 'uneven', rows: 3 });
  expect(new Date(last().time as string).getTime()).not.toBeNaN();
});

test('lines inside withLogFields carry the fields, also after an await, and others do not', async () => {
  const { log, last } = capture();
  await withLogFields({ run_id: 'r1' }, async () => {
    await Promise.resolve();
    withLogFields({ stage: 'training' }, () => log.info('inner'));
  });
  expect(last()).toMatchObject({ run_id: 'r1', stage: 'training' });
  log.info('outer');
  expect(last()).not.toHaveProperty('run_id');
});

test('secrets do not reach the log, by name or inside a URL', () => {
  const { log, text } = capture();
  log.info({
    password: 'hunter2',
    config: { S3_SECRET_KEY: 'hunter2', DATABASE_URL: 'hunter2' },
    headers: { authorization: 'hunter2' },
  });
  log.error({ err: new Error('connect postgres://anneal:hunter2@db/anneal failed') }, 'postgres://u:hunter2@h/d');
  expect(text()).not.toContain('hunter2');
  expect(hideCredentials('see http://u:p@host/x')).toBe('see http://[secret]@host/x');
});

const contextManager = new AsyncLocalStorageContextManager();
beforeAll(() => void context.setGlobalContextManager(contextManager.enable()));
afterAll(() => context.disable());
test('a line inside a span carries its trace', () => {
  const { log, last } = capture();
  const span = trace.wrapSpanContext({ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1 });
  context.with(trace.setSpan(context.active(), span), () => log.info('traced'));
  expect(last()).toMatchObject({ trace_id: 'a'.repeat(32), span_id: 'b'.repeat(16) });
});
