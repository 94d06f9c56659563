import type { Server } from 'node:http';
import { serve } from '@hono/node-server';
import { portError } from '../lib/ports.ts';

const IDLE_SWEEP_MS = 50;

export interface ListenOptions {
  readonly fetch: (request: Request) => Response | Promise<Response>;
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
}
export interface HttpServer {
  readonly port: number;
  /** Takes no new connection, and ends when every request under way is answered. */
  readonly close: () => Promise<void>;
}

/** Listens. Throws CONFLICT, naming API_PORT, when the port is taken. */
export const listenHttp = ({ fetch, host, port }: ListenOptions): Promise<HttpServer> =>
  new Promise((resolve, reject) => {
    const server = serve({ fetch, hostname: host, port }, (bound) =>
      resolve({ port: bound.port, close: () => closeGently(server) }),
    ) as Server;
    // An upload takes as long as its line needs; headers still have their own limit.
    server.requestTimeout = 0;
    server.once('error', (error: NodeJS.ErrnoException) => reject(portError(error, port, 'API_PORT')));
  });

async function closeGently(server: Server): Promise<void> {
  // Connections that are kept alive become idle only after their last answer.
  const sweep = setInterval(() => server.closeIdleConnections(), IDLE_SWEEP_MS);
  await new Promise<void>((resolve) => server.close(() => resolve()));
  clearInterval(sweep);
}
