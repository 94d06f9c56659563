import { Hono } from 'hono';
import { expect, test } from 'vitest';
import { createFinalFirstRouter } from '../../../lib/http/final-first-router.ts';

const app = new Hono({ strict: false, router: createFinalFirstRouter() })
  .post('/rows/all', (c) => c.text('all'))
  .post('/rows/:name', (c) => c.text(`one ${c.req.param('name')}`))
  .use(async (c, next) => {
    await next();
    c.header('x-middleware', 'ran');
  })
  .get('/rows/:name', (c) => c.text(`read ${c.req.param('name')}`))
  .post('/later/:name', (c) => c.text(`later ${c.req.param('name')}`));

test.each([
  ['POST', '/rows/all', 'all', null],
  ['POST', '/rows/a%20b/', 'one a b', null],
  ['GET', '/rows/all', 'read all', 'ran'],
  ['POST', '/later/x', 'later x', 'ran'],
  ['POST', '/rows', '404 Not Found', 'ran'],
  ['POST', '/rows/a/b', '404 Not Found', 'ran'],
])('%s %s answers "%s"; what comes before the middleware is answered without it', async (method, path, text, ran) => {
  const answer = await app.request(path, { method });
  expect(await answer.text()).toBe(text);
  expect(answer.headers.get('x-middleware')).toBe(ran);
});
