import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { DrizzleQueryError } from 'drizzle-orm/errors';
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

test('tokens and API keys do not reach the log, wherever they stand', () => {
  const { log, text } = capture();
  const token = `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.${'s'.repeat(43)}`;
  const key = `anneal_${'0'.repeat(16)}_${'k'.repeat(43)}`;
  log.info(
    { url: `/x?t=${token}`, tried: `Authorization: Bearer ${key}`, list: [key, token] },
    `Bearer hunter2== ${key}`,
  );
  log.error({ err: new Error(`no ${token}`), body: { access_token: 'hunter2', api_key: 'hunter2' } });
  expect(text()).not.toMatch(/sss|kkk|hunter2/);
  expect(hideCredentials('anneal_prediction_requests_total')).toBe('anneal_prediction_requests_total');
});

test('a failed query is logged without its parameters, and so is what it caused', () => {
  const { log, text, last } = capture();
  const failed = new DrizzleQueryError(
    'insert into users values ($1, $2)',
    ['ada', 'hunter2\nhunter2'],
    new Error('gone'),
  );
  log.error({ err: failed });
  expect(last()).toMatchObject({ err: { query: 'insert into users values ($1, $2)' } });
  log.error({ err: new Error('no user', { cause: failed }) });
  expect(text()).toContain('Failed query: insert into users');
  expect(text()).not.toContain('hunter2');
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
