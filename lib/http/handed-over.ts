import type { Socket } from 'node:net';
import { createHttp, type HttpOptions } from './listen.ts';

export interface HandedOver {
  /** Calls `take` for every connection, and `hold` when soon none will come. */
  readonly start: (take: (socket: Socket) => void, hold: () => void) => void;
  /** Resolves when no connection will come any more. */
  readonly stop: () => Promise<void>;
}

/** As `listenHttp`, for connections that another process accepts. */
export function serveHandedOver(options: HttpOptions & { readonly connections: HandedOver }) {
  const { connections } = options;
  const { server, hold, drain } = createHttp(options);
  // At this event Node begins to watch over slow and idle connections.
  server.emit('listening');
  connections.start((socket) => {
    socket.allowHalfOpen = true; // as those a server accepts itself
    server.emit('connection', socket);
    socket.resume();
  }, hold);
  return { close: () => drain(connections.stop()) };
}
