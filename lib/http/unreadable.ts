import { randomUUID } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { RequestError } from '@hono/node-server';
import { HTTPException } from 'hono/http-exception';
import { toProblem } from './problem.ts';

const MESSAGES = {
  400: 'the request is not HTTP as it is written down',
  408: 'the request took too long to arrive',
  431: 'the headers are too large',
} as const;
const STATUSES: Readonly<Record<string, keyof typeof MESSAGES | undefined>> = {
  HPE_HEADER_OVERFLOW: 431,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

const unreadable = (status: keyof typeof MESSAGES) =>
  toProblem(new HTTPException(status, { message: MESSAGES[status] }), randomUUID());

/** Answers what Node itself cannot read; ends the connection, for where the next request starts is not known. */
export function refuseUnreadable(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const problem = unreadable(STATUSES[error.code ?? ''] ?? 400);
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${problem.status} ${problem.title}`,
    'connection: close',
    'content-type: application/problem+json',
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${problem.request_id}`,
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

/** Answers what does not become a request: no path, a strange host. Anything else is a bug; who calls logs it. */
export function answerUnreadable(error: unknown): Response {
  const problem = error instanceof RequestError ? unreadable(400) : toProblem(error, randomUUID());
  return Response.json(problem, {
    status: problem.status,
    headers: { 'content-type': 'application/problem+json', 'x-request-id': problem.request_id },
  });
}
