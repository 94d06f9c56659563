import type { Router } from 'hono/router';
import { PatternRouter } from 'hono/router/pattern-router';
import { RegExpRouter } from 'hono/router/reg-exp-router';
import { SmartRouter } from 'hono/router/smart-router';
import { TrieRouter } from 'hono/router/trie-router';

/**
 * As Hono's own router, but what is added before all middleware answers alone: none of it could run, and to find and chain
 * it costs more than the few patterns that are tried first.
 */
export function createFinalFirstRouter<T>(): Router<T> {
  const final = new PatternRouter<T>();
  const all = new SmartRouter<T>({ routers: [new RegExpRouter(), new TrieRouter()] });
  let hasMiddleware = false;
  return {
    name: 'FinalFirstRouter',
    add: (method, path, handler) => {
      hasMiddleware ||= method === 'ALL';
      if (!hasMiddleware) final.add(method, path, handler);
      all.add(method, path, handler);
    },
    match: (method, path) => {
      const [found, ...rest] = final.match(method, path);
      if (found.length === 0) return all.match(method, path);
      found.length = 1;
      return [found, ...rest] as ReturnType<Router<T>['match']>;
    },
  };
}
