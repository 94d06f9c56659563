import type { RouteConfig } from '@hono/zod-openapi';
import type { MiddlewareHandler } from 'hono';
import { createMiddleware } from 'hono/factory';
import { readBody, readJsonBody, requireNoEncoding } from '../../lib/http/body.ts';
import { invalid, type ApiEnv } from '../router.ts';

export const JSON_TYPE = /^application\/([a-z.-]+\+)?json/i;

/** Nothing at all would pass for `{}`. */
const present = createMiddleware<ApiEnv>(async (c, next) => {
  if (c.req.header('content-type') === undefined && (await c.req.arrayBuffer()).byteLength === 0) {
    throw invalid([{ path: 'body', rule: 'required', message: 'a JSON body is required' }]);
  }
  await next();
});

/** Anything but JSON is left to the route, which refuses it. */
const read = createMiddleware<ApiEnv>(async (c, next) => {
  const isJson = JSON_TYPE.test(c.req.header('content-type') ?? '');
  await (isJson ? readJsonBody : readBody)(c, c.get('maxBodyBytes'));
  await next();
});

/** A file, and JSON where a file may come instead, is read by its handler, which has its own limit. */
const streamed = createMiddleware<ApiEnv>(async (c, next) => {
  requireNoEncoding(c);
  await next();
});

/**
 * What a body must be before anybody uses it: within its limit (also where the route expects none), not compressed and, as
 * JSON, fit to be parsed.
 */
export function bodyRules({ method, request }: Pick<RouteConfig, 'method' | 'request'>): MiddlewareHandler[] {
  const types = Object.keys(request?.body?.content ?? {});
  if (types.some((type) => !JSON_TYPE.test(type))) return [streamed];
  if (request?.body?.required) return [read, present];
  return method === 'get' ? [] : [read];
}
