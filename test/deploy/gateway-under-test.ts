import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, request, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { type GatewaySettings, startGateway } from '../../deploy/nginx/gateway.ts';
import { findNginx, type Nginx } from '../../lib/nginx.ts';
import { claimPort } from '../../lib/ports.ts';
import { temporaryFolder } from '../platform.ts';

export const NGINX = { name: 'nginx', path: findNginx(), install: 'apt-get install nginx-light' };

/** A gateway with room for every request, unless told otherwise; it ends with the test. */
export async function gatewayOf(
  program: string,
  changes: Partial<GatewaySettings>,
): Promise<Nginx & { port: number; reportsPort: number }> {
  const folder = await temporaryFolder('gateway');
  onTestFinished(folder.remove);
  const settings: GatewaySettings = {
    host: '127.0.0.1',
    httpPort: await claimPort(0, 'GATEWAY_HTTP_PORT'),
    reportsPort: await claimPort(0, 'GATEWAY_REPORTS_PORT'),
    tls: null,
    api: ['127.0.0.1:1'],
    serving: ['127.0.0.1:1'],
    rates: { auth: 1_000, general: 1_000, predict: 1_000 },
    maxBodyBytes: 2 ** 20,
    maxBatchBytes: 2 ** 24,
    maxUploadBytes: 2 ** 30,
    maxModelBytes: 2 ** 28,
    ...changes,
  };
  const nginx = await startGateway(program, folder.path, settings);
  onTestFinished(nginx.stop);
  return { ...nginx, port: settings.httpPort, reportsPort: settings.reportsPort };
}

/** What a process behind the gateway got. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A process behind the gateway that notes what it gets, as `host:port`; it ends with the test. */
export async function processBehind(answer?: RequestListener) {
  const seen: Seen[] = [];
  const server = createServer((incoming, response) => {
    if (answer) return answer(incoming, response);
    void text(incoming).then(
      () => response.end('{}'),
      () => undefined,
    );
  });
  server.on('request', (incoming: IncomingMessage) => {
    const chunks: Buffer[] = [];
    const { method = '', url: path = '', headers } = incoming;
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => seen.push({ method, path, headers, body: Buffer.concat(chunks).toString() }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

export interface Sent {
  readonly port: number;
  /** Sent as it stands: `fetch` would tidy it. */
  readonly path: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
  /** Several parts are sent in chunks, one has its length announced. */
  readonly body?: string | readonly string[];
  readonly localAddress?: string;
}

export async function send({ port, path, method = 'GET', headers = {}, body, localAddress }: Sent) {
  const sent = request({ host: '127.0.0.1', port, path, method, headers, localAddress, agent: false });
  const answered = once(sent, 'response') as Promise<[IncomingMessage]>;
  sent.on('error', () => undefined); // a refused body may break the connection after the answer
  if (typeof body === 'object') for (const part of body) sent.write(part);
  sent.end(typeof body === 'string' ? body : undefined);
  const [response] = await answered;
  const content = await text(response);
  return { status: response.statusCode!, headers: response.headers, text: content };
}

export const problemIn = ({ text: content }: { readonly text: string }) =>
  JSON.parse(content) as Readonly<Record<string, unknown>>;
