import type { HttpBindings } from '@hono/node-server';
import { createMiddleware } from 'hono/factory';
import { createAddressReader } from './client-address.ts';

export interface ClientAddressEnv {
  Variables: {
    /** IPv4 or IPv6 as text; `0.0.0.0` where there is no socket to ask. */
    clientAddress: string;
  };
}

/** Sets `clientAddress`. */
export function setClientAddress(trustedProxies: readonly string[]) {
  const read = createAddressReader(trustedProxies);
  return createMiddleware<ClientAddressEnv>(async (c, next) => {
    const bindings = c.env as Partial<HttpBindings> | undefined;
    c.set('clientAddress', read(bindings?.incoming?.socket.remoteAddress, c.req.header('x-forwarded-for')));
    await next();
  });
}
