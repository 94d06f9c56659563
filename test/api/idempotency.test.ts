import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { IdempotencyClaim } from '../../db/idempotency-keys.ts';
import { createFakeKeys, createTestApp, problemOf } from './doubles.ts';

const source = { kind: 'object', key: 'churn.csv', format: 'csv' } as const;
const headers = { 'idempotency-key': 'k-1' };
// A read, and those whose answer or repetition is about a session or a secret.
const WITHOUT = ['fetchBestModel', 'login', 'refreshTokens', 'logout', 'changeMyPassword', 'createApiKey'];

interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly schema: { pattern?: string };
  }[];
  readonly responses: Record<string, unknown>;
}

test('every POST that starts or creates something takes an Idempotency-Key, as the document says', async () => {
  const { app } = createTestApp();
  const { paths } = (await (await app.request('/openapi.json')).json()) as {
    paths: Record<string, Record<string, Operation>>;
  };
  const posts = Object.values(paths).flatMap(({ post }) => (post ? [post] : []));
  const keyOf = ({ parameters = [] }: Operation) => parameters.find(({ name }) => name === 'Idempotency-Key');
  expect(
    posts
      .filter((post) => !keyOf(post))
      .map(({ operationId }) => operationId)
      .sort(),
  ).toEqual(WITHOUT.sort());
  for (const post of posts.filter((each) => keyOf(each))) {
    expect(keyOf(post), post.operationId).toMatchObject({
      in: 'header',
      schema: { pattern: expect.any(String) as string },
    });
    expect(post.responses, post.operationId).toHaveProperty('422');
  }
  const start = posts.find(({ operationId }) => operationId === 'startTraining')!;
  expect(Object.keys(start.responses)).toEqual(expect.arrayContaining(['409', '422', '429']));
});

test('neither the key nor a hash that a body could be searched by is kept', async () => {
  const keys = createFakeKeys();
  const claims: IdempotencyClaim[] = [];
  const idempotencyKeys = { ...keys, claim: (claim: IdempotencyClaim) => (claims.push(claim), keys.claim(claim)) };
  const { post } = createTestApp({ idempotencyKeys });
  const body = JSON.stringify({ pipeline: 'churn', source });
  expect((await post('/api/v1/train', body, headers)).status).toBe(202);
  const [claim] = claims;
  expect(JSON.stringify(claim)).not.toContain('k-1');
  expect(claim!.bodySha256).not.toBe(createHash('sha256').update(body).digest('hex'));
});

test('a repeated cancel gets the first answer', async () => {
  const { post } = createTestApp();
  await post('/api/v1/train', { pipeline: 'churn', source, run_id: 'r1' });
  const first = await post('/api/v1/runs/r1/cancel', '', headers);
  const again = await post('/api/v1/runs/r1/cancel', '', headers);
  expect([first.status, again.status, again.headers.get('idempotency-replayed')]).toEqual([202, 202, 'true']);
  expect(await again.json()).toEqual(await first.json());
});

test('an upload takes a key and needs none: the content says what is a repeat', async () => {
  const { app, datasets } = createTestApp();
  const upload = (body: string, key: string) =>
    app.request('/api/v1/datasets?name=churn', {
      method: 'POST',
      body,
      headers: { 'content-type': 'text/csv', 'idempotency-key': key },
    });
  expect([(await upload('a\n1\n', 'k')).status, (await upload('a\n1\n', 'k')).status]).toEqual([201, 201]);
  expect(datasets.rows.size).toBe(1);
  expect((await upload('a\n2\n', 'k')).status).toBe(201);
  const wrong = await upload('a\n1\n', 'with a space');
  expect([wrong.status, (await problemOf(wrong)).errors[0]?.path]).toEqual([422, 'Idempotency-Key']);
});

test.each(['with a space', 'ü', 'x'.repeat(256)])('the key %j is refused', async (key) => {
  const { post, engine } = createTestApp();
  const response = await post('/api/v1/train', { pipeline: 'churn', source }, { 'idempotency-key': key });
  expect([response.status, (await problemOf(response)).errors[0]?.path]).toEqual([422, 'Idempotency-Key']);
  expect(engine.jobs.size).toBe(0);
});
