import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type IncomingMessage, request, type ServerResponse } from 'node:http';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createTestApp } from '../api/doubles.ts';
import { listenHttp } from '../../lib/http/listen.ts';
import { requireProgram } from '../programs.ts';
import { gatewayOf, NGINX, problemIn, processBehind, send } from './gateway-under-test.ts';

const SOON = { timeout: 60_000 };
const BREAK = (incoming: IncomingMessage) => incoming.socket.destroy();
const answerWith = (status: number) => (incoming: IncomingMessage, response: ServerResponse) => {
  incoming.resume();
  response.writeHead(status, { 'x-answered': 'app' }).end('{}');
};

requireProgram(NGINX, (nginx) => {
  test('each path goes, as it was sent, to the process that answers it, and everything else is not found', async () => {
    const [api, serving] = [await processBehind(), await processBehind()];
    const { port } = await gatewayOf(nginx, { api: [api.address], serving: [serving.address] });
    const forApi = [
      '/api/v1/runs?state=RUNNING&x=a://b/..',
      '/api/v1/auth/login',
      '/api/v1/auth/users/ada%40example.com',
      '/api/v1/datasets',
      '/api/v1/predictions',
      '/docs',
      '/docs/swagger-ui.css',
      '/openapi.json',
      '/reports?endpoint=churn',
    ];
    const forServing = [
      '/predict',
      '/api/v1/predict',
      '/api/v1/predict/churn/batch',
      '/v2/models/churn/infer',
      '/health',
      '/meta?endpoint=churn',
      '/lineage',
    ];
    for (const path of [...forApi, ...forServing]) expect((await send({ port, path })).status).toBe(200);
    expect(api.seen.map(({ path }) => path)).toEqual(forApi);
    expect(serving.seen.map(({ path }) => path)).toEqual(forServing);

    const notExposed = ['/', '/metrics', '/livez', '/readyz', '/boom', '/api', '/api/v2/runs', '/predictions', '/.env'];
    for (const path of notExposed) {
      const answer = await send({ port, path, headers: { 'x-request-id': 'mine-1' } });
      expect([path, answer.status, answer.headers['content-type']]).toEqual([path, 404, 'application/problem+json']);
      expect(answer.headers['x-request-id']).toBe('mine-1');
      expect(problemIn(answer)).toMatchObject({ status: 404, code: 'NOT_FOUND', request_id: 'mine-1', errors: [] });
    }
    expect([...api.seen, ...serving.seen]).toHaveLength(forApi.length + forServing.length);
    expect(await send({ port, path: '/healthz' })).toMatchObject({ status: 200, text: '{"status":"ok"}' });
    expect((await send({ port, path: '/serving/openapi.json' })).status).toBe(200);
    expect(serving.seen.at(-1)!.path).toBe('/openapi.json');
  });

  test('the port of the drift reports leads to them and to nothing else', async () => {
    const [api, serving] = [await processBehind(), await processBehind()];
    const { reportsPort: port } = await gatewayOf(nginx, { api: [api.address], serving: [serving.address] });
    const root = await send({ port, path: '/' });
    expect([root.status, root.headers.location]).toEqual([302, '/reports']);
    const reports = ['/reports', '/reports?endpoint=churn&cursor=a%2Bb', '/reports/churn/12'];
    const headers = { authorization: 'Basic YWRhOmFkYQ==', cookie: 'anneal_reports=t' };
    for (const path of reports) expect((await send({ port, path, headers })).status).toBe(200);
    expect(api.seen.map(({ path }) => path)).toEqual(reports);
    expect(api.seen[0]!.headers).toMatchObject({ ...headers, 'x-forwarded-for': '127.0.0.1' });

    const closed = [
      '/api/v1/runs',
      '/predict',
      '/docs',
      '/metrics',
      '/reportsx',
      '/reports/../api/v1/runs',
      '//reports',
    ];
    for (const path of closed) expect([path, (await send({ port, path })).status]).toEqual([path, 404]);
    expect([...api.seen, ...serving.seen]).toHaveLength(reports.length);
    expect((await send({ port, path: '/healthz' })).status).toBe(200);
  });

  test('an unusual spelling of a path reaches nobody', async () => {
    const behind = await processBehind();
    const { port } = await gatewayOf(nginx, { api: [behind.address], serving: [behind.address] });
    const spellings = [
      '//api/v1/runs',
      '/api//v1/runs',
      '/api%2Fv1%2fruns',
      '/api/v1/predict/../../../metrics',
      '/api/v1/./runs',
      '/api/v1/runs/.git/config',
      '/api/v1/x/..\\..\\..\\..\\metrics',
      '/health\\..\\metrics',
      '/api/v1/runs/%2e%2e/%2E%2e/metrics',
      '/api/v1/runs/%252e%252e/metrics',
      '/api/v1/runs/%5c..%5cmetrics',
      '/api/v1/runs;/../metrics',
      '/health;x=y',
      '/api/v1/runs%3Bx',
      '/x%20/problem//..;/%2e',
      '/problem',
      '/api/v1/runs%00',
      '/api/v1/runs%0d%0aX-Evil:1',
      '/health#/../metrics',
    ];
    for (const path of spellings) {
      const { status } = await send({ port, path });
      expect([path, [400, 404].includes(status)]).toEqual([path, true]);
    }
    expect(behind.seen).toEqual([]);
  });

  test('what a caller says about its address and connection is replaced, and a request id is kept only if plain', async () => {
    const api = await processBehind();
    const { port } = await gatewayOf(nginx, { api: [api.address] });
    const claims = { 'x-forwarded-for': '10.0.0.1, 10.0.0.2', 'x-forwarded-proto': 'https', forwarded: 'for=10.0.0.1' };
    const path = '/api/v1/runs';
    await send({ port, path, headers: { ...claims, 'x-request-id': 'abc-1', authorization: 'Bearer t' } });
    await send({ port, path, headers: { 'x-request-id': 'a"b' }, localAddress: '127.0.0.9' });
    const [first, second] = api.seen.map(({ headers }) => headers);
    expect(first).toMatchObject({
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-request-id': 'abc-1',
    });
    expect(first).toMatchObject({ authorization: 'Bearer t' });
    expect(first).not.toHaveProperty('forwarded');
    expect(second).toMatchObject({ 'x-forwarded-for': '127.0.0.9' });
    expect(second!['x-request-id']).toMatch(/^[0-9a-f]{32}$/);
  });

  test.each([
    ['auth', '/api/v1/auth/login', '/api/v1/auth/me'],
    ['general', '/api/v1/runs', '/predict'],
    ['predict', '/predict', '/api/v1/runs'],
  ] as const)(
    'the %s zone answers 429 above its rate, for one address, and leaves others alone',
    async (zone, path, other) => {
      const behind = await processBehind();
      const rates = { auth: 100, general: 100, predict: 100, [zone]: 2 };
      const { port } = await gatewayOf(nginx, { api: [behind.address], serving: [behind.address], rates });
      const statuses = [];
      for (let i = 0; i < 4; i++) statuses.push((await send({ port, path, method: 'POST' })).status);
      expect(statuses).toEqual([200, 200, 200, 429]);
      const refused = await send({ port, path, method: 'POST' });
      const said = { 'ratelimit-policy': `"${zone}";q=2;w=60`, ratelimit: `"${zone}";r=0;t=2`, 'retry-after': '2' };
      expect(refused.headers).toMatchObject({ ...said, 'content-type': 'application/problem+json' });
      const request_id = refused.headers['x-request-id'];
      expect(problemIn(refused)).toMatchObject({ status: 429, code: 'RATE_LIMITED', request_id });
      expect((await send({ port, path: other })).status).toBe(200);
      expect((await send({ port, path, method: 'POST', localAddress: '127.0.0.2' })).status).toBe(200);
    },
  );

  test('a body above the cap is refused before a process sees it, announced or in chunks; uploads have their own cap', async () => {
    const behind = await processBehind();
    const limits = { maxBodyBytes: 1_000, maxBatchBytes: 2_000, maxUploadBytes: 5_000, maxModelBytes: 3_000 };
    const { port } = await gatewayOf(nginx, { api: [behind.address], serving: [behind.address], ...limits });
    const bodyOf = (bytes: number) => 'x'.repeat(bytes);
    const inChunks = (bytes: number) => Array.from({ length: bytes / 100 }, () => bodyOf(100));
    const post = (path: string, body: string | string[]) => send({ port, path, method: 'POST', body });
    for (const [path, cap] of [
      ['/api/v1/train', 1_000],
      ['/predict', 2_000],
      ['/api/v1/predict/churn', 2_000],
    ] as const) {
      for (const body of [bodyOf(cap + 1), inChunks(cap + 100)]) {
        const refused = await post(path, body);
        expect([path, refused.status]).toEqual([path, 413]);
        expect(problemIn(refused)).toMatchObject({ code: 'TOO_LARGE', request_id: refused.headers['x-request-id'] });
      }
    }
    for (const body of [bodyOf(5_001), inChunks(5_100)])
      expect((await post('/api/v1/datasets?name=a', body)).status).toBe(413);
    for (const body of [bodyOf(3_001), inChunks(3_100)])
      expect((await post('/api/v1/models/churn/versions', body)).status).toBe(413);
    expect(behind.seen).toEqual([]);

    for (const body of [bodyOf(2_000), inChunks(2_000)]) expect((await post('/predict', body)).status).toBe(200);
    for (const body of [bodyOf(5_000), inChunks(5_000)])
      expect((await post('/api/v1/datasets', body)).status).toBe(200);
    expect((await post('/api/v1/models/churn/versions', bodyOf(3_000))).status).toBe(200);
    expect(behind.seen.map(({ body }) => body.length)).toEqual([2_000, 2_000, 5_000, 5_000, 3_000]);
  });

  test('binary tensors pass as they are, with the length of their JSON; what the gateway refuses below /v2 has `error`', async () => {
    const behind = await processBehind((incoming, response) => {
      const length = incoming.headers['inference-header-content-length'];
      response.setHeader('inference-header-content-length', String(length));
      incoming.pipe(response);
    });
    const { port } = await gatewayOf(nginx, { serving: [behind.address], maxBatchBytes: 2_000 });
    const path = '/v2/models/churn/infer';
    const infer = (to: number, body: string) =>
      send({ port: to, path, method: 'POST', body, headers: { 'inference-header-content-length': '2' } });
    const body = '{}\0\u0001\u0002\u007f';
    const passed = await infer(port, body);
    expect([passed.status, passed.text, passed.headers['inference-header-content-length']]).toEqual([200, body, '2']);
    const { port: alone } = await gatewayOf(nginx, {});
    for (const refused of [await infer(port, 'x'.repeat(2_001)), await infer(alone, body)]) {
      const problem = problemIn(refused);
      expect(problem['detail']).toBeTruthy();
      expect(problem['error']).toBe(problem['detail']);
    }
    expect(problemIn(await send({ port: alone, path: '/predict' }))).not.toHaveProperty('error');
  });

  test('headers and paths that are too long are refused in the same form', async () => {
    const { port } = await gatewayOf(nginx, {});
    const long = 'x'.repeat(5_000);
    const answers = [
      await send({ port, path: '/healthz', headers: { 'x-long': long } }),
      await send({ port, path: `/healthz?${long}` }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([431, 414]);
    for (const answer of answers)
      expect(problemIn(answer)).toMatchObject({ status: answer.status, code: 'BAD_REQUEST' });
  });

  test('an upload passes while it is still being sent', async () => {
    const got: string[] = [];
    const api = await processBehind((incoming, response) => {
      incoming.on('data', (data) => got.push(String(data)));
      incoming.on('end', () => response.writeHead(201).end());
    });
    const { port } = await gatewayOf(nginx, { api: [api.address] });
    const upload = request({ host: '127.0.0.1', port, path: '/api/v1/datasets', method: 'POST', agent: false });
    upload.write('first');
    await vi.waitFor(() => expect(got.join('')).toBe('first'), SOON);
    upload.end('second');
    const [response] = (await once(upload, 'response')) as [IncomingMessage];
    expect([response.statusCode, got.join('')]).toEqual([201, 'firstsecond']);
    response.resume();
  });

  test('events pass one by one while the stream goes on', async () => {
    let stream: ServerResponse | undefined;
    const api = await processBehind((_, response) => {
      stream = response;
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: 1\n\n');
    });
    const { port } = await gatewayOf(nginx, { api: [api.address] });
    const opened = request({ host: '127.0.0.1', port, path: '/api/v1/runs/r1/events', agent: false }).end();
    const [response] = (await once(opened, 'response')) as [IncomingMessage];
    let got = '';
    response.on('data', (data) => (got += String(data)));
    await vi.waitFor(() => expect(got).toBe('data: 1\n\n'), SOON);
    stream!.write('data: 2\n\n');
    await vi.waitFor(() => expect(got).toBe('data: 1\n\ndata: 2\n\n'), SOON);
    stream!.end();
    await once(response, 'end');
  });

  test('a prediction that a process drops or refuses as not ready is answered by another; a POST to the api is never sent twice', async () => {
    const [broken, starting, well] = [
      await processBehind(BREAK),
      await processBehind(answerWith(503)),
      await processBehind(),
    ];
    const { port } = await gatewayOf(nginx, {
      api: [broken.address, well.address],
      serving: [broken.address, starting.address, well.address],
    });
    const post = (path: string) => send({ port, path, method: 'POST', body: '{"age":1}' });
    const predictions = await Promise.all(Array.from({ length: 12 }, () => post('/predict')));
    expect(predictions.map(({ status }) => status)).toEqual(Array.from({ length: 12 }, () => 200));
    expect(well.seen.map(({ body }) => body)).toEqual(Array.from({ length: 12 }, () => '{"age":1}'));

    // The api's processes take turns: of the first two POSTs one meets the broken one.
    const trainings = [await post('/api/v1/train'), await post('/api/v1/train')];
    expect(trainings.map(({ status }) => status).sort()).toEqual([200, 502]);
    const [failed] = trainings.filter(({ status }) => status === 502);
    expect(problemIn(failed!)).toMatchObject({ code: 'UNAVAILABLE', request_id: failed!.headers['x-request-id'] });
    expect(failed!.headers['retry-after']).toBe('2');
    expect(well.seen.filter(({ path }) => path === '/api/v1/train')).toHaveLength(1);
  });

  test('while every process says 503 (one endpoint without a model), they go on being asked and their answer is given', async () => {
    const serving = [await processBehind(answerWith(503)), await processBehind(answerWith(503))];
    const { port } = await gatewayOf(nginx, { serving: serving.map(({ address }) => address) });
    for (let i = 0; i < 6; i++) {
      const answer = await send({ port, path: '/predict', method: 'POST' });
      expect([answer.status, answer.headers['x-answered']]).toEqual([503, 'app']);
    }
  });

  test('a prediction is not lost on a process that hangs; where all hang or are gone, 504 and 502 say so', async () => {
    const hang = () => processBehind(() => undefined);
    const [first, second, well] = [await hang(), await hang(), await processBehind()];
    const half = await gatewayOf(nginx, { serving: [first.address, well.address] });
    const none = await gatewayOf(nginx, { serving: [first.address, second.address] });
    const predict = (port: number, id: string) =>
      send({ port, path: '/predict', method: 'POST', headers: { 'x-request-id': id } });
    const [one, other, late, gone] = await Promise.all([
      predict(half.port, 'one'),
      predict(half.port, 'other'),
      predict(none.port, 'late'),
      send({ port: none.port, path: '/api/v1/runs', headers: { 'x-request-id': 'gone' } }),
    ]);
    expect([one.status, other.status, late.status, gone.status]).toEqual([200, 200, 504, 502]);
    expect(problemIn(late)).toMatchObject({ status: 504, code: 'UNAVAILABLE', request_id: 'late' });
    expect(problemIn(gone)).toMatchObject({ status: 502, code: 'UNAVAILABLE', request_id: 'gone' });
  });

  test('the access log is JSON lines with the request id, without queries and credentials', async () => {
    const api = await processBehind();
    const { port, logFile } = await gatewayOf(nginx, { api: [api.address] });
    const headers = { authorization: 'Bearer sesame', 'x-request-id': 'logged-1' };
    await send({ port, path: '/api/v1/runs?token=sesame', headers });
    await vi.waitFor(async () => expect(await readFile(logFile, 'utf8')).toContain('logged-1'), SOON);
    const text = await readFile(logFile, 'utf8');
    const lines = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    const line = { service: 'gateway', request_id: 'logged-1', method: 'GET', path: '/api/v1/runs', status: 200 };
    expect(lines).toContainEqual(expect.objectContaining({ ...line, address: '127.0.0.1', upstream: api.address }));
    expect(text).not.toContain('sesame');
  });

  test('the real API answers through it as it does itself, to preflights too', async () => {
    const origin = 'https://console.example.com';
    const { app } = createTestApp({ corsOrigins: [origin] });
    const http = await listenHttp({ fetch: app.fetch, host: '127.0.0.1', port: 0, variable: 'API_PORT' });
    onTestFinished(http.close);
    const { port } = await gatewayOf(nginx, { api: [`127.0.0.1:${http.port}`] });
    const headers = { origin, 'x-request-id': 'once', authorization: 'Bearer t' };
    const preflight = { ...headers, 'access-control-request-method': 'POST' };
    const ofTheConnection = ['connection', 'keep-alive', 'server', 'transfer-encoding', 'content-length'];
    const ofTheMoment = ['date', 'ratelimit'];
    const told = ({ status, text, headers }: Awaited<ReturnType<typeof send>>) => ({
      status,
      text,
      headers: Object.fromEntries(
        Object.entries(headers).filter(([name]) => ![...ofTheConnection, ...ofTheMoment].includes(name)),
      ),
    });
    for (const asked of [
      { path: '/api/v1/nothing', headers },
      { path: '/api/v1/pipelines', headers },
      { path: '/api/v1/train', method: 'OPTIONS', headers: preflight },
    ]) {
      const direct = told(await send({ ...asked, port: http.port }));
      expect(told(await send({ ...asked, port }))).toEqual(direct);
      expect(direct.headers).toMatchObject({ 'access-control-allow-origin': origin, 'x-request-id': 'once' });
    }
  });
});
