import { expect, test } from 'vitest';
import { startRequestSpan } from '../../lib/tracing.ts';
import { recordSpans } from '../recorded-spans.ts';

const spans = recordSpans();

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const requestOf = (traceparent?: string) => ({
  method: 'POST',
  path: '/predict',
  header: (name: string) => (name === 'traceparent' ? traceparent : undefined),
});

test('of requests without a trace only a share gets one', () => {
  for (const [share, expected] of [
    [0, 0],
    [1, 50],
  ] as const) {
    spans.reset();
    for (let request = 0; request < 50; request++) startRequestSpan(requestOf(), 'r', share).end(200);
    expect(spans.getFinishedSpans()).toHaveLength(expected);
  }
  expect(startRequestSpan(requestOf(), 'r', 0).traceId).toBeNull();
});

test("a caller's trace is continued whatever the share, unless the caller does not sample it", () => {
  const span = startRequestSpan(requestOf(`00-${TRACE}-b7ad6b7169203331-01`), 'r', 0);
  expect(span.traceId).toBe(TRACE);
  span.end(503);
  const unsampled = startRequestSpan(requestOf(`00-${TRACE}-b7ad6b7169203331-00`), 'r', 0);
  expect(unsampled.traceId).toBe(TRACE);
  unsampled.end(200);
  const [finished, ...more] = spans.getFinishedSpans();
  expect(more).toEqual([]);
  expect(finished).toMatchObject({
    name: 'POST /predict',
    parentSpanContext: { traceId: TRACE },
    attributes: { 'http.response.status_code': 503, 'anneal.request_id': 'r' },
    status: { code: 2 },
  });
});
