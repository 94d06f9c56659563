import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { portError } from '../ports.ts';
import { answerUnreadable, refuseUnreadable } from './unreadable.ts';

const IDLE_SWEEP_MS = 50;

export interface ListenOptions {
  readonly fetch: (request: Request) => Response | Promise<Response>;
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Named in the error when the port is taken. */
  readonly variable: string;
  /** 0 lets a request take as long as its line needs (uploads); headers still have their own limit. */
  readonly requestTimeoutMs?: number;
}
export interface HttpServer {
  readonly port: number;
  /** Takes no new connection, and ends when every request under way is answered. */
  readonly close: () => Promise<void>;
}

/** Listens. Throws CONFLICT, naming the variable, when the port is taken. */
export const listenHttp = ({ fetch, host, port, variable, requestTimeoutMs }: ListenOptions): Promise<HttpServer> =>
  new Promise((resolve, reject) => {
    const answer = getRequestListener(fetch, { hostname: host, errorHandler: answerUnreadable });
    const server = createServer((incoming, outgoing) => void answer(incoming, outgoing));
    if (requestTimeoutMs !== undefined) server.requestTimeout = requestTimeoutMs;
    server.on('clientError', refuseUnreadable);
    server.once('error', (error: NodeJS.ErrnoException) => reject(portError(error, port, variable)));
    server.listen(port, host, () =>
      resolve({ port: (server.address() as AddressInfo).port, close: () => closeGently(server) }),
    );
  });

async function closeGently(server: Server): Promise<void> {
  // Connections that are kept alive become idle only after their last answer.
  const sweep = setInterval(() => server.closeIdleConnections(), IDLE_SWEEP_MS);
  await new Promise<void>((resolve) => server.close(() => resolve()));
  clearInterval(sweep);
}
