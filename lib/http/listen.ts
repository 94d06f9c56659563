import { createServer, type ServerResponse } from 'node:http';
import { Server as NetServer, type AddressInfo, type Socket } from 'node:net';
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import { getRequestListener } from '@hono/node-server';
import { portError } from '../ports.ts';
import { answerUnreadable, refuseUnreadable } from './unreadable.ts';

const IDLE_SWEEP_MS = 50;
const SILENCE_MS = 20;
const PATIENCE_MS = 200;
const SHORT_TURN_MS = 0.1;

export interface HttpOptions {
  readonly fetch: (request: Request) => Response | Promise<Response>;
  readonly host: string;
  /** 0 lets a request take as long as its line needs (uploads); headers still have their own limit. */
  readonly requestTimeoutMs?: number;
  /** How long a connection that is idle at the end may still bring the request that is perhaps on its way. */
  readonly idleGraceMs?: number;
}
export interface ListenOptions extends HttpOptions {
  /** 0 takes any free port. */
  readonly port: number;
  /** Named in the error when the port is taken. */
  readonly variable: string;
}
export interface HttpServer {
  readonly port: number;
  /** Takes no new connection, and ends when every request that was sent on the others is answered. */
  readonly close: () => Promise<void>;
}

/** Listens. Throws CONFLICT, naming the variable, when the port is taken. */
export const listenHttp = (options: ListenOptions): Promise<HttpServer> =>
  new Promise((resolve, reject) => {
    const { host, port, variable } = options;
    const { server, drain } = createHttp(options);
    server.once('error', (error: NodeJS.ErrnoException) => reject(portError(error, port, variable)));
    server.listen(port, host, () =>
      resolve({ port: (server.address() as AddressInfo).port, close: () => drain(stopListening(server)) }),
    );
  });

/**
 * Closes what listens; connections that are open stay so. Closing resets connections that wait to be accepted: so it is
 * done when none has come for a while, if that happens soon, and after a turn of the event loop so short that hardly one
 * has come since its beginning.
 */
export async function stopListening(server: NetServer): Promise<void> {
  const asked = performance.now();
  let last = asked;
  server.on('connection', () => (last = performance.now()));
  for (let began = asked; ;) {
    await nextTurn();
    const now = performance.now();
    const silent = now - last > SILENCE_MS || now - asked > PATIENCE_MS;
    if ((silent && last < began && now - began < SHORT_TURN_MS) || now - asked > 2 * PATIENCE_MS) break;
    if (!silent) await delay(1);
    began = performance.now();
  }
  // Not http's own close, which also ends idle connections, on which a request may be on its way.
  NetServer.prototype.close.call(server);
}

/** An HTTP server that can be emptied without losing a request. */
export function createHttp({ fetch, host, requestTimeoutMs, idleGraceMs = IDLE_SWEEP_MS }: HttpOptions) {
  const answer = getRequestListener(fetch, { hostname: host, errorHandler: answerUnreadable });
  const answers = new Map<Socket, ServerResponse | null>(); // the latest of each connection
  const closing = Promise.withResolvers<void>();
  let holding = false;
  let draining = false;
  let emptied = () => {};

  const server = createServer((incoming, outgoing) => {
    answers.set(incoming.socket, outgoing);
    if (draining) outgoing.shouldKeepAlive = false; // says `connection: close`
    if (!holding || draining) void answer(incoming, outgoing);
    else void closing.promise.then(() => answer(incoming, outgoing));
  });
  server.on('connection', (socket: Socket) => {
    answers.set(socket, null);
    socket.once('close', () => {
      answers.delete(socket);
      if (answers.size === 0) emptied();
    });
  });
  if (requestTimeoutMs !== undefined) server.requestTimeout = requestTimeoutMs;
  server.on('clientError', refuseUnreadable);

  /** Lets new requests wait for the close: who waits for an answer makes no new connection, which the close might reset. */
  const hold = (): void => void (holding = true);

  /** Ends every connection with its next answer, or as idle after the grace. No new one comes once `closed` resolves. */
  const drain = async (closed: Promise<void>): Promise<void> => {
    hold();
    await closed;
    draining = true;
    for (const outgoing of answers.values()) if (outgoing) outgoing.shouldKeepAlive = false;
    closing.resolve();
    const empty = new Promise<void>((resolve) => (emptied = resolve));
    if (answers.size === 0) return;
    await Promise.race([empty, delay(idleGraceMs, undefined, { ref: false })]);
    // After what has arrived is read.
    const sweep = setInterval(() => setImmediate(closeIdle), IDLE_SWEEP_MS);
    await empty;
    clearInterval(sweep);
  };
  const closeIdle = () => {
    server.closeIdleConnections();
    // Node takes a connection that never brought a byte for busy.
    for (const [socket, outgoing] of answers) if (!outgoing && socket.bytesRead === 0) socket.destroy();
  };
  return { server, hold, drain };
}
