import { Hono } from 'hono';
import { expect, test } from 'vitest';
import { type AuthEnv, guard, requireGuards } from '../../auth/guard.ts';

const answer = () => new Response('secret');
const app = () => new Hono<AuthEnv>({ strict: false }).use((_, next) => next());

test('routes whose guard comes first pass, also below another router', () => {
  const inner = new Hono<AuthEnv>().get('/:id', guard('authenticated'), answer);
  expect(() => requireGuards(app().get('/', guard('public'), answer).route('/things', inner))).not.toThrow();
});

test.for<[string, Pick<Hono, 'routes'>, string]>([
  ['no guard', app().get('/a', answer), 'GET /a'],
  ['a guard after its handler', app().get('/a', answer, guard(['admin'])), 'GET /a'],
  [
    'a guard that comes later',
    app()
      .get('/a', answer)
      .get('/a', guard(['admin']), answer),
    'GET /a',
  ],
  ['a guard on another method', app().get('/a', guard('public'), answer).post('/a', answer), 'POST /a'],
  ['no guard below another router', app().route('/b', new Hono().delete('/:id', answer)), 'DELETE /b/:id'],
  ['a handler of all methods', app().all('/a', guard('public'), answer), 'ALL /a'],
  ['a handler of everything', app().all('*', answer), 'ALL /*'],
])('an app with %s does not start, and says where', ([, unguarded, route]) => {
  expect(() => requireGuards(unguarded)).toThrow(`routes without a policy: ${route}`);
});
