import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { stopListening } from '../../lib/http/listen.ts';
import { portError } from '../../lib/ports.ts';

const MAX_WAITING = 1024;

export interface Taker {
  /** Hands a connection to a process; `refused`, later, when that process is gone: then it gets no more. */
  readonly take: (socket: Socket, refused: () => void) => void;
  /** Lets the process answer no new request until no connection comes any more. */
  readonly hold: () => void;
}
export interface DoorOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Named in the error when the port is taken. */
  readonly variable: string;
}
export type Door = Awaited<ReturnType<typeof openDoor>>;

/**
 * Accepts connections, reads nothing of them, and gives them out in turn. They wait while nobody takes any. Throws
 * CONFLICT when the port is taken.
 */
export async function openDoor({ host, port, variable }: DoorOptions) {
  const takers: Taker[] = [];
  const waiting = new Set<Socket>();

  const remove = (taker: Taker) => {
    const index = takers.indexOf(taker);
    if (index >= 0) takers.splice(index, 1);
  };
  const place = (socket: Socket) => {
    const taker = takers.shift();
    if (taker) {
      takers.push(taker);
      taker.take(socket, () => {
        // Asked again and again before the next turn of the event loop, it would keep that from ever coming.
        remove(taker);
        place(socket);
      });
    } else if (waiting.size < MAX_WAITING) waiting.add(socket);
    else socket.destroy();
  };
  // As http's own servers, whose connections these will be.
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true }, place);
  server.listen(port, host);
  await once(server, 'listening').catch((error: NodeJS.ErrnoException) => {
    throw portError(error, port, variable);
  });

  return {
    port: (server.address() as AddressInfo).port,
    add: (taker: Taker): void => {
      takers.push(taker);
      for (const socket of waiting) {
        waiting.delete(socket);
        place(socket);
      }
    },
    /** Of no effect when it does not take connections. */
    remove,
    /** Accepts no more; what was accepted has been given out. */
    close: async (): Promise<void> => {
      for (const { hold } of takers) hold();
      await stopListening(server);
      for (const socket of waiting) socket.destroy();
    },
  };
}
