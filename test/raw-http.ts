import { connect } from 'node:net';
import { onTestFinished } from 'vitest';
import { listenHttp, type ListenOptions } from '../lib/http/listen.ts';

/** An app behind a real HTTP server, until the test is over: what `app.request` cannot show. */
export async function listen({ fetch }: Pick<ListenOptions, 'fetch'>) {
  const server = await listenHttp({ fetch, host: '127.0.0.1', port: 0, variable: 'API_PORT' });
  onTestFinished(() => server.close());
  return { port: server.port, url: `http://127.0.0.1:${server.port}` };
}

/** Writes raw bytes and reads until the server closes. */
export async function raw(port: number, ...parts: readonly (string | Uint8Array)[]): Promise<string> {
  const socket = connect(port, '127.0.0.1').setEncoding('utf8');
  socket.on('error', () => undefined); // closed while we still write: what was answered counts
  let answer = '';
  socket.on('data', (data) => (answer += String(data)));
  for (const part of parts) socket.write(part);
  await new Promise((resolve) => socket.once('close', resolve));
  return answer;
}

/** One request by its first line and headers; the connection closes after it. */
export const rawRequest = (port: number, target: string, headers: readonly string[] = [], body = '') =>
  raw(port, [`${target} HTTP/1.1`, 'host: x', 'connection: close', ...headers, '', body].join('\r\n'));
