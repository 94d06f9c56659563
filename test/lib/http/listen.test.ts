import { once } from 'node:events';
import { Agent, request, type IncomingMessage } from 'node:http';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { serveHandedOver } from '../../../lib/http/handed-over.ts';
import { listenHttp } from '../../../lib/http/listen.ts';

const HOST = '127.0.0.1';
type Fetch = (request: Request) => Response | Promise<Response>;
const hello: Fetch = () => new Response('hello');

const listening = async (fetch: Fetch = hello, idleGraceMs = 1000) =>
  await listenHttp({ fetch, host: HOST, port: 0, variable: 'PORT', idleGraceMs });

/** A server that accepts for another, which answers; as two processes do it. */
async function handedOver(fetch: Fetch = hello, idleGraceMs = 1000) {
  const door = createServer({ pauseOnConnect: true }).listen(0, HOST);
  await once(door, 'listening');
  const stop = () => new Promise<void>((resolve) => (door.close(() => resolve()), setImmediate(resolve)));
  const start = (take: (socket: Socket) => void) => void door.on('connection', take);
  const { close } = serveHandedOver({ fetch, host: HOST, idleGraceMs, connections: { start, stop } });
  return { port: (door.address() as AddressInfo).port, close };
}
const servers = [
  ['that listens', listening],
  ['of connections handed over', handedOver],
] as const;

function createClient(port: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  return async () => {
    const sent = request({ host: HOST, port, agent }).end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    return { body: await text(response), connection: response.headers.connection, reused: sent.reusedSocket };
  };
}

/** Does anybody take a new connection? */
const isTaken = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, HOST, () => (socket.destroy(), resolve(true)));
    socket.on('error', () => resolve(false));
  });

test.each(servers)(
  'a request on a kept connection that arrives after the close is answered, as the last one (server %s)',
  async (_, start) => {
    const { port, close } = await start();
    const get = createClient(port);
    expect(await get()).toMatchObject({ connection: 'keep-alive', reused: false });
    const closed = close();
    await delay(100); // longer than an idle connection lives without a grace
    expect(await get()).toEqual({ body: 'hello', connection: 'close', reused: true });
    await closed;
    await expect(get()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  },
);

test.each(servers)(
  'what is being answered at the close is answered, and no request follows it (server %s)',
  async (_, start) => {
    const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
    const { promise: answer, resolve: release } = Promise.withResolvers<Response>();
    const { port, close } = await start(() => (ask(), answer));
    const answered = createClient(port)();
    await asked;
    const closed = close();
    await expect.poll(() => isTaken(port), { timeout: 60_000 }).toBe(false);
    await nextTurn(); // in which who closed it learns that it is
    release(new Response('late'));
    expect(await answered).toMatchObject({ body: 'late', connection: 'close' });
    await closed;
  },
);

test.each(servers)('connections that stay idle or silent do not hold up the close (server %s)', async (_, start) => {
  const { port, close } = await start(hello, 10);
  await createClient(port)();
  const silent = connect(port, HOST);
  await once(silent, 'connect');
  await delay(20); // accepted
  const gone = once(silent, 'close');
  await close();
  await gone;
});

test('connections that wait to be accepted at the close are answered', async () => {
  const { port, close } = await listening();
  const sockets = Array.from({ length: 20 }, () => connect(port, HOST));
  const answers = sockets.map(async (socket) => {
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    return (await text(socket)).split('\r\n')[0];
  });
  await new Promise<void>((resolve) => process.nextTick(resolve)); // which makes the system's calls, before any turn
  // The system makes the connections while this process is too busy to take them.
  const busyUntil = performance.now() + 30;
  while (performance.now() < busyUntil);
  await close();
  expect(await Promise.all(answers)).toEqual(sockets.map(() => 'HTTP/1.1 200 OK'));
});
