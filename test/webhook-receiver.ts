import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { signatureOf } from '../lib/webhook.ts';

export interface Received {
  readonly status: number;
  readonly isSigned: boolean;
  readonly body: {
    readonly delivery: number;
    readonly event: string;
    readonly alert: { readonly kind: string; readonly state: string; readonly endpoint: string };
  };
}

/** A real receiver of webhooks that checks signatures as its owner would. `answer` gives the status of the nth message, from 1. */
export async function startWebhookReceiver(secret: string, answer: (count: number) => number) {
  const received: Received[] = [];
  const answerTo = async (request: http.IncomingMessage, response: http.ServerResponse) => {
    const body = await text(request);
    const timestamp = String(request.headers['x-anneal-timestamp']);
    const isFresh = Math.abs(Date.now() / 1000 - Number(timestamp)) < 60;
    const expected = `sha256=${signatureOf(secret, timestamp, body)}`;
    const isSigned = isFresh && request.headers['x-anneal-signature'] === expected;
    const status = answer(received.length + 1);
    received.push({ status, isSigned, body: JSON.parse(body) as Received['body'] });
    response.writeHead(status).end();
  };
  const server = http.createServer((request, response) => void answerTo(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const stop = () => {
    server.closeAllConnections();
    server.close();
  };
  return { received, host, url: `http://${host}/hooks/of-somebody`, stop };
}
