import { once } from 'node:events';
import { connect } from 'node:net';
import { Writable } from 'node:stream';
import { DrizzleQueryError } from 'drizzle-orm/errors';
import type { Hono } from 'hono';
import { expect, test } from 'vitest';
import { createLogger } from '../lib/log.ts';
import { createTestApp } from './api/doubles.ts';
import { listen, raw, rawRequest } from './raw-http.ts';
import { createTestServing, slotScoring } from './serving/doubles.ts';

interface Door {
  readonly app: Pick<Hono, 'fetch' | 'request'>;
  /** How often a handler behind a guard was reached. */
  readonly reached: () => number;
  readonly lines: () => string;
}
interface Options {
  readonly corsOrigins?: readonly string[];
  /** What the handler throws. */
  readonly failure?: Error;
}

/** Both processes, each with one route that counts: GET /api/v1/runs, POST /predict. */
const DOORS = {
  api({ corsOrigins = [], failure }: Options = {}): Door {
    const { log, lines } = capture();
    const api = createTestApp({ corsOrigins, log, maxBodyBytes: 20_000 });
    let reached = 0;
    const { list } = api.runs;
    api.runs.list = () => (reached++, failure ? Promise.reject(failure) : list());
    return { app: { fetch: api.app.fetch, request: requestOf(api.app) }, reached: () => reached, lines };
  },
  serving({ corsOrigins = [], failure }: Options = {}): Door {
    const { log, lines } = capture();
    let reached = 0;
    const { app, slots } = createTestServing({ corsOrigins, log, enableBoom: true });
    const { session } = slots.get('churn')!;
    const probabilities: typeof session.probabilities = (...rows) => (
      reached++,
      failure ? Promise.reject(failure) : session.probabilities(...rows)
    );
    slots.swap('churn', slotScoring('churn', 3, probabilities));
    return { app: { fetch: app.fetch, request: requestOf(app) }, reached: () => reached, lines };
  },
};
const BOTH = ['api', 'serving'] as const;
const PROTECTED = { api: '/api/v1/runs', serving: '/api/v1/predict/models' };
const POSTED = { api: '/api/v1/train', serving: '/api/v1/predict' };
const CREDENTIAL = 'authorization: Bearer ada';

function capture() {
  const written: string[] = [];
  const destination = new Writable({ write: (chunk, _, done) => (written.push(String(chunk)), done()) });
  return { log: createLogger({ service: 'test', destination }), lines: () => written.join('') };
}

/** As over HTTP: who sends no credential has none. */
const requestOf =
  ({ fetch }: Pick<Hono, 'fetch'>): Hono['request'] =>
  (path, init) =>
    fetch(new Request(`http://x${path as string}`, init));

const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);

test.for(BOTH)('no spelling of a path and no header gets round the guards of %s', async (door) => {
  const { app, reached } = DOORS[door]();
  const { port } = await listen(app);
  const path = PROTECTED[door];
  const [, ...segments] = path.split('/');
  const spellings = [
    path,
    `${path}/`,
    `/${path}`,
    `//x${path}`,
    `http://x${path}`,
    path.toUpperCase(),
    path.replaceAll('/', '//'),
    `/${segments.join('%2F')}`,
    `/${segments.join('%2f')}`,
    `/api/v1/;x/../${segments.slice(2).join('/')}`,
    `/api/v1/;x`,
    `${path};x=1`,
    `${path}%3Bx=1`,
    `${path}%00`,
    `${path}%20`,
    `${path}?a=b`,
    `${path}%3Fa=b`,
    `${path}/.`,
    `${path}/./`,
    `/livez/..${path}`,
    `/livez/%2e%2e${path}`,
    `/docs/..;${path}`,
    `/docs/%252e%252e${path}`,
    `/livez/..%2f${path.slice(1)}`,
    `/livez\\..${path}`,
    `/%61pi/v1/${segments.slice(2).join('/')}`,
  ];
  for (const target of spellings) {
    for (const method of ['GET', 'HEAD', 'POST', 'QUERY']) {
      const status = statusOf(await rawRequest(port, `${method} ${target}`, ['content-length: 0']));
      expect([400, 401, 404, 405], `${method} ${target}: ${status}`).toContain(status);
    }
  }
  for (const header of ['x-http-method-override', 'x-http-method', 'x-method-override', '_method']) {
    for (const target of [path, `${path}?_method=GET`, POSTED[door], `${POSTED[door]}?_method=POST`]) {
      for (const method of ['GET', 'POST', 'DELETE']) {
        const answer = await rawRequest(port, `${method} ${target}`, [`${header}: GET`, 'content-length: 2'], '{}');
        expect([401, 405], `${method} ${target} ${header}`).toContain(statusOf(answer));
      }
    }
  }
  for (const header of ['x-original-url', 'x-rewrite-url', 'x-forwarded-path', 'x-forwarded-prefix', 'forwarded']) {
    const answer = await rawRequest(port, 'GET /livez', [`${header}: ${path}`]);
    expect(answer, header).toMatch(/"status":"(live|ok)"/);
  }
  expect(reached()).toBe(0);
});

test.for(BOTH)('%s refuses a stranger before it has read the body, and the connection stays usable', async (door) => {
  const { port } = await listen(DOORS[door]().app);
  const head = `POST ${POSTED[door]} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n`;
  for (const unsent of ['content-length: 10000\r\n\r\n', 'transfer-encoding: chunked\r\n\r\n']) {
    const socket = connect(port, '127.0.0.1').setEncoding('utf8');
    socket.write(head + unsent);
    const [data] = (await once(socket, 'data')) as [string];
    expect(statusOf(data)).toBe(401);
    socket.destroy();
  }
  const sent = `${head}content-length: 10000\r\n\r\n${'x'.repeat(10_000)}`;
  const answers = await raw(port, sent, `GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
  expect([...answers.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual(['401', '200']);
});

test.for(BOTH)('%s answers 413 to a client that writes 5 MB before it reads, announced or in chunks', async (door) => {
  const { port } = await listen(DOORS[door]().app);
  const chunk = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(0x10000, ' '), Buffer.from('\r\n')]);
  const head = [`POST ${POSTED[door]} HTTP/1.1`, 'host: x', CREDENTIAL, 'content-type: application/json'].join('\r\n');
  const chunked = raw(
    port,
    `${head}\r\ntransfer-encoding: chunked\r\n\r\n`,
    ...Array<Buffer>(80).fill(chunk),
    '0\r\n\r\n',
  );
  expect(await chunked).toMatch(/^HTTP\/1\.1 413 [^]*"TOO_LARGE"/);
  const announced = raw(port, `${head}\r\ncontent-length: ${5_000_000}\r\n\r\n`, Buffer.alloc(5_000_000, ' '));
  expect(await announced).toMatch(/^HTTP\/1\.1 413 [^]*"TOO_LARGE"/);
  const small = await rawRequest(
    port,
    `POST ${POSTED[door]}`,
    [CREDENTIAL, 'content-type: application/json', 'transfer-encoding: chunked'],
    '2\r\n{}\r\n0\r\n\r\n',
  );
  expect(statusOf(small)).toBe(422);
});

test.for(BOTH)('%s takes JSON that nests 64 deep and no deeper, not compressed, in UTF-8', async (door) => {
  const { app } = DOORS[door]();
  const post = async (body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) => {
    const response = await app.request(POSTED[door], {
      method: 'POST',
      body,
      headers: { authorization: 'Bearer ada', 'content-type': 'application/json', ...headers },
    });
    const { code, errors } = (await response.json()) as { code: string; errors: { path: string; rule: string }[] };
    return { status: response.status, code, rules: errors.map(({ rule }) => rule) };
  };
  const nested = (depth: number) => `{"a":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`;
  expect((await post(nested(64))).rules).not.toContain('max_depth');
  expect(await post(nested(65))).toEqual({ status: 422, code: 'INVALID', rules: ['max_depth'] });
  expect(await post('['.repeat(19_000))).toMatchObject({ status: 422, rules: ['max_depth'] });
  expect(await post('{}', { 'content-encoding': 'gzip' })).toMatchObject({ status: 415 });
  expect(await post('{}', { 'content-encoding': 'identity' })).toMatchObject({ status: 422 });
  expect(await post(Buffer.from('{"a":"\xff"}', 'latin1'))).toMatchObject({ status: 400, code: 'BAD_REQUEST' });
  expect(await post(Buffer.from('\ufeff{}', 'utf16le'))).toMatchObject({ status: 400, code: 'BAD_REQUEST' });
  expect(await post('\ufeff{}')).toMatchObject({ status: 422 });
  expect(await post('')).toMatchObject({ code: expect.stringMatching(/BAD_REQUEST|INVALID/) as string });
});

test.for(BOTH)('%s names the methods of a path that it has for others, and knows no other path', async (door) => {
  const { app } = DOORS[door]();
  const answer = async (method: string, path: string) => {
    const response = await app.request(path, { method });
    return { status: response.status, allow: response.headers.get('allow'), code: await codeOf(response) };
  };
  const get = { status: 405, allow: 'GET, HEAD', code: 'METHOD_NOT_ALLOWED' };
  for (const method of ['POST', 'DELETE', 'OPTIONS', 'PROPFIND']) {
    const path = door === 'api' ? PROTECTED.api : '/meta';
    expect(await answer(method, path), method).toEqual({
      ...get,
      allow: expect.stringContaining('GET') as string,
    });
    expect(await answer(method, '/livez'), method).toEqual(get);
  }
  expect(await answer('PUT', POSTED[door])).toEqual({ ...get, allow: 'POST' });
  expect(await answer('GET', '/no/such/path')).toEqual({ status: 404, allow: null, code: 'NOT_FOUND' });
  expect((await app.request('/livez', { method: 'HEAD' })).status).toBe(200);
});
const codeOf = async (response: Response) => ((await response.json()) as { code: string }).code;

test.for(BOTH)('answers of %s may be framed, sniffed and cached by nobody', async (door) => {
  const { app } = DOORS[door]();
  for (const [path, authorization, status] of [
    [PROTECTED[door], 'Bearer ada', 200],
    [PROTECTED[door], 'Bearer', 401],
    ['/nowhere', '', 404],
    ['/livez', '', 200],
  ] as const) {
    const { headers, status: answered } = await app.request(path, { headers: { authorization } });
    expect([path, answered]).toEqual([path, status]);
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
    });
    expect(headers.get('cache-control')).toBe(path === PROTECTED[door] ? 'no-store' : null);
    expect(headers.get('strict-transport-security')).toBeNull();
  }
  const page = await app.request('/docs');
  const policy = page.headers.get('content-security-policy')!;
  expect(policy).toContain("default-src 'none'; script-src 'self';");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(await page.text()).not.toMatch(/<script>|https?:/);
  expect((await app.request('/docs/swagger-ui.css')).headers.get('cache-control')).toBe('public, max-age=3600');
});

test.for(BOTH)(
  '%s lets pages of configured origins call, before anybody proves who they are, and no other',
  async (door) => {
    const { app } = DOORS[door]({ corsOrigins: ['https://console.example.com'] });
    const preflight = (origin: string) =>
      app.request(PROTECTED[door], {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'GET', 'access-control-request-headers': 'authorization' },
      });
    const allowed = await preflight('https://console.example.com');
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get('access-control-allow-origin')).toBe('https://console.example.com');
    expect(allowed.headers.get('access-control-allow-headers')).toContain('authorization');
    for (const origin of [
      'https://evil.example',
      'https://console.example.com.evil.example',
      'http://console.example.com',
      'null',
    ])
      expect((await preflight(origin)).headers.get('access-control-allow-origin'), origin).toBeNull();
    const get = (origin: string) => app.request(PROTECTED[door], { headers: { origin } });
    const refused = await get('https://console.example.com');
    expect(refused.status).toBe(401);
    expect(refused.headers.get('access-control-allow-origin')).toBe('https://console.example.com');
    expect(refused.headers.get('access-control-expose-headers')).toMatch(/x-request-id.*ratelimit/);
    expect(refused.headers.get('vary')).toContain('Origin');
    expect((await get('https://evil.example')).headers.get('access-control-allow-origin')).toBeNull();
    for (const { headers } of [allowed, refused]) expect(headers.get('access-control-allow-credentials')).toBeNull();
    const everybody = DOORS[door]({ corsOrigins: ['*'] }).app;
    const open = await everybody.request('/livez', { headers: { origin: 'https://evil.example' } });
    expect(open.headers.get('access-control-allow-origin')).toBe('*');
    expect(open.headers.get('access-control-allow-credentials')).toBeNull();
    const closed = await DOORS[door]().app.request('/livez', { headers: { origin: 'https://evil.example' } });
    expect([...closed.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
  },
);

const SECRETS = [
  'hunter2',
  'tok-0123456789',
  'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl',
  `anneal_${'0'.repeat(16)}_${'k'.repeat(43)}`,
];
const [PASSWORD, TOKEN, JWT, KEY] = SECRETS as [string, string, string, string];
const FAILURES = {
  'a plain error': new Error(`select * from users at /home/ada/secret.ts with ${JWT} and ${KEY}`),
  'a failed query': new DrizzleQueryError(
    'select password_hash from users where name = $1',
    [PASSWORD],
    new Error('gone'),
  ),
  'an unreachable server': new Error('Failed', {
    cause: Object.assign(new Error(`connect postgres://anneal:${PASSWORD}@db.internal:5432`), { code: 'ECONNREFUSED' }),
  }),
};

test.for(BOTH.flatMap((door) => Object.keys(FAILURES).map((name) => [door, name as keyof typeof FAILURES] as const)))(
  'an error of %s tells the caller its request id and nothing of its inside: %s',
  async ([door, name]) => {
    const { app, lines } = DOORS[door]({ failure: FAILURES[name] });
    const ways = {
      api: () => app.request('/api/v1/runs', { headers: { authorization: `Bearer ${TOKEN}`, 'x-request-id': 'r-1' } }),
      serving: () =>
        app.request('/predict', {
          method: 'POST',
          body: '{"age":30}',
          headers: { authorization: `Bearer ${TOKEN}`, 'x-request-id': 'r-1' },
        }),
    };
    const response = await ways[door]();
    expect(response.status).toBeGreaterThanOrEqual(500);
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({ request_id: 'r-1', errors: [] });
    expect(text).not.toMatch(/select|users|ada|secret|internal|5432|\.ts|node_modules| at /);
    expect(lines()).toContain('"request_id":"r-1"');
    for (const secret of SECRETS) expect(text + lines()).not.toContain(secret);
  },
);

test.for(BOTH)(
  'whatever %s refuses has the request id in header and body, and no secret goes into body or log',
  async (door) => {
    const { app, lines } = DOORS[door]();
    const { port } = await listen(app);
    const json = 'content-type: application/json';
    const body = JSON.stringify({ password: PASSWORD, refresh_token: JWT, api_key: KEY, username: 'ada' });
    const post = (path: string, headers: readonly string[], text = body) =>
      rawRequest(port, `POST ${path}`, [`content-length: ${text.length}`, ...headers], text);
    const answers = await Promise.all([
      post(POSTED[door], [json, CREDENTIAL]),
      post(POSTED[door], [json, CREDENTIAL], `{"password":"${PASSWORD}",`),
      post(POSTED[door], [json, CREDENTIAL, 'content-encoding: br']),
      post(POSTED[door], [json, CREDENTIAL], ' '.repeat(30_000)),
      post(POSTED[door], [json, `authorization: Basic ${PASSWORD}`]),
      post('/livez', [json, `cookie: session=${TOKEN}`]),
      post('/nowhere', [json, `x-api-key: ${KEY}`]),
      rawRequest(port, `GET ${PROTECTED[door]}?token=${TOKEN}&key=${KEY}`),
      rawRequest(port, `GET ${PROTECTED[door]}`, ['authorization: Bearer']),
      rawRequest(port, `GET \\${PASSWORD}`),
      rawRequest(port, `GET /`, [`bad header ${PASSWORD}`]),
      rawRequest(port, `GET /`, [`large: ${PASSWORD.repeat(4000)}`]),
    ]);
    for (const answer of answers) {
      const [head, text] = answer.split('\r\n\r\n') as [string, string];
      const problem = JSON.parse(text) as { status: number; request_id: string };
      expect(head).toMatch(/^content-type: application\/problem\+json/im);
      expect(head.toLowerCase()).toContain(`x-request-id: ${problem.request_id}`);
      expect(statusOf(answer)).toBe(problem.status);
      expect(problem.status).toBeGreaterThanOrEqual(400);
      expect(problem.status).toBeLessThan(500);
      for (const secret of SECRETS) expect(answer + lines()).not.toContain(secret);
    }
  },
);
