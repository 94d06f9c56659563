import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { pipeline } from 'node:stream';
import type { Endpoint } from '../../lib/temporal-server.ts';

/** Passes every connection to `from` on to `to`, and answers what ends that. */
export async function forward(from: Endpoint, to: Endpoint): Promise<() => void> {
  const open = new Set<Socket>();
  const server = createServer({ noDelay: true }, (incoming) => {
    open.add(incoming);
    const outgoing = connect({ ...to, noDelay: true });
    // An end on one side, with or without an error, is passed on to the other.
    pipeline(incoming, outgoing, incoming, () => open.delete(incoming));
  });
  server.listen(from.port, from.host);
  await once(server, 'listening');
  return () => {
    server.close();
    for (const socket of open) socket.destroy();
  };
}
