import { expect, test } from 'vitest';
import { recordSpans } from '../recorded-spans.ts';
import { createTestApp } from './doubles.ts';

const spans = recordSpans();
const OPEN_METRICS = { accept: 'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5' };

test('a latency bucket leads to the trace of a request, for a scrape that asks for OpenMetrics', async () => {
  const { app } = createTestApp();
  await app.request('/livez');
  const trace = spans.getFinishedSpans()[0]!.spanContext().traceId;
  const answer = await app.request('/metrics', { headers: OPEN_METRICS });
  expect(answer.headers.get('content-type')).toMatch(/^application\/openmetrics-text; version=1/);
  const text = await answer.text();
  const bucket = /^anneal_api_request_seconds_bucket\{.*route="\/livez".*\} 1 # (\{.*\}) \S+ \S+$/m.exec(text);
  expect(bucket?.[1]).toBe(`{trace_id="${trace}"}`);
  expect(text).toMatch(/# EOF\n$/);
});

test('a scrape that asks for nothing gets plain text, as often as it likes', async () => {
  const { app } = createTestApp();
  await (await app.request('/metrics', { headers: OPEN_METRICS })).text();
  const answer = await app.request('/metrics');
  expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0.0.4/);
  const text = await answer.text();
  expect(text).toContain('# TYPE anneal_api_request_seconds histogram');
  expect(text).not.toContain('trace_id');
});
