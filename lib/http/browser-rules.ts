import type { MiddlewareHandler } from 'hono';
import { cors } from 'hono/cors';
import { createMiddleware } from 'hono/factory';
import { secureHeaders } from 'hono/secure-headers';

/**
 * Headers by which browsers keep our answers in their place: they are data, and a page says what it needs itself.
 * Strict-Transport-Security belongs to who does TLS, the gateway.
 */
export const answersAreData = secureHeaders({
  contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
  crossOriginResourcePolicy: 'same-origin',
  referrerPolicy: 'no-referrer',
  xContentTypeOptions: 'nosniff',
  xFrameOptions: 'DENY',
  overwrite: false,
  strictTransportSecurity: false,
  crossOriginOpenerPolicy: false,
  originAgentCluster: false,
  xDnsPrefetchControl: false,
  xDownloadOptions: false,
  xPermittedCrossDomainPolicies: false,
  xXssProtection: false,
});

/** What `answersAreData` sends, for answers that are made without middleware. */
export const DATA_HEADERS = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
} as const;

const SENT = ['authorization', 'content-type', 'idempotency-key', 'x-request-id', 'traceparent', 'tracestate'];
const READ = [
  'location',
  'retry-after',
  'x-request-id',
  'ratelimit',
  'ratelimit-policy',
  'idempotency-replayed',
  'etag',
  'content-disposition',
];

/**
 * Pages of these origins may call; `*` is all. Never with cookies: callers carry a token. Preflights are answered here,
 * before anybody has to prove who they are, and no other OPTIONS request is.
 */
export function allowOrigins(origins: readonly string[]): MiddlewareHandler {
  if (origins.length === 0) return (_, next) => next();
  const answer = cors({
    origin: origins.includes('*') ? '*' : [...origins],
    allowMethods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowHeaders: SENT,
    exposeHeaders: READ,
    maxAge: 600,
    credentials: false,
  });
  return createMiddleware((c, next) => {
    const isPreflight = c.req.header('access-control-request-method') !== undefined;
    return c.req.method !== 'OPTIONS' || isPreflight ? answer(c, next) : next();
  });
}
