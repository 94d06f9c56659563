import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

export interface Asked {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly body: string;
}

/** Stands for a server until the test is over: answers JSON as told, 404 unless told, and remembers what it was asked. */
export async function jsonServer(answer: (asked: Asked) => unknown) {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const question = { method: request.method!, url: request.url!, body };
      asked.push(question);
      const { status = 200, json = { code: 'NOT_FOUND', detail: 'there is nothing at this path' } } = (answer(
        question,
      ) as { status?: number; json?: unknown } | undefined) ?? { status: 404 };
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, port, asked };
}
