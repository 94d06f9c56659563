import { once } from 'node:events';
import { createServer, request as send, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** What happens to a request. `busy` and `not implemented` are answers of its own; the last three are done to the server's. */
export type Fault =
  'none' | 'busy' | 'not implemented' | 'cut upload' | 'cut answer' | 'stalled answer' | 'slow answer';
export interface Seen {
  readonly method: string;
  readonly url: string;
  /** Of the server's own answer. */
  status?: number;
}
export interface FaultyProxy {
  readonly endpoint: string;
  readonly seen: readonly Seen[];
  readonly stop: () => void;
}

/** Stands before a real server and spoils what `faultOf` says. It passes everything else on as it is, so signatures hold. */
export async function startFaultyProxy(
  target: string,
  faultOf: (request: IncomingMessage) => Fault | Promise<Fault>,
): Promise<FaultyProxy> {
  const seen: Seen[] = [];
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const entry: Seen = { method: request.method!, url: request.url! };
    seen.push(entry);
    const fault = await faultOf(request);
    if (fault === 'busy') return answer(request, response, 503, 'SlowDown');
    if (fault === 'not implemented') return answer(request, response, 501, 'NotImplemented');
    const { method, url, headers } = request;
    const upstream = send(`${target}${url}`, { method, headers, agent: false }, (received) => {
      entry.status = received.statusCode!;
      response.writeHead(received.statusCode!, received.headers);
      void passOn(received, response, fault);
    });
    upstream.on('error', () => response.destroy());
    if (fault !== 'cut upload') return void request.pipe(upstream);
    request.once('data', (chunk: Buffer) => {
      upstream.write(chunk, () => upstream.destroy());
      request.destroy();
    });
  };
  const server = createServer((request, response) => void handle(request, response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = () => {
    server.close();
    server.closeAllConnections();
  };
  return { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen, stop };
}

function answer(request: IncomingMessage, response: ServerResponse, status: number, code: string): void {
  request.resume().on('end', () => response.writeHead(status).end(`<Error><Code>${code}</Code></Error>`));
}

async function passOn(received: IncomingMessage, response: ServerResponse, fault: Fault): Promise<void> {
  for await (const chunk of received as AsyncIterable<Buffer>) {
    if (fault === 'slow answer') {
      for (let at = 0; at < chunk.length && !response.destroyed; at++) {
        response.write(chunk.subarray(at, at + 1));
        await delay(20);
      }
    } else if (fault === 'none') {
      response.write(chunk);
    } else {
      response.write(chunk.subarray(0, 1000));
      if (fault === 'cut answer') await delay(50).then(() => response.destroy());
      return;
    }
  }
  response.end();
}
