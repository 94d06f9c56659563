import { once } from 'node:events';
import { Agent, request, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import type { Answer, Asked, Ledger } from './ledger.ts';
import { rowOf } from './rows.ts';

export interface LoadOptions {
  readonly ledger: Ledger;
  readonly port: number;
  readonly endpoint: string;
  readonly authorization: string;
}
interface Kind {
  readonly connections: number;
  readonly path: string;
  readonly rows: number;
  readonly padding: number;
  readonly pauseMs: number;
}
interface PredictionBody {
  readonly prediction_id: string;
  readonly probability: number;
}
type Body = { readonly endpoint: string; readonly model: { readonly version: number } } & (
  PredictionBody | { readonly predictions: readonly PredictionBody[] }
);

const KINDS: readonly Kind[] = [
  { connections: 10, path: '', rows: 1, padding: 0, pauseMs: 30 },
  { connections: 2, path: '/batch', rows: 10, padding: 0, pauseMs: 100 },
  // More than 64 KiB, which the batch thread answers and logs.
  { connections: 2, path: '/batch', rows: 100, padding: 700, pauseMs: 1_000 },
];
/** Each has at most one request in flight. */
export const CONNECTIONS = KINDS.reduce((sum, { connections }) => sum + connections, 0);
const AFTER_TROUBLE_MS = 50;
const MAX_IDLE_MS = 3_000; // the server ends a connection that was idle for 5 s

/** Clients that predict, each on a kept connection of its own, and connect again whenever it breaks, until `stop`. */
export function startLoad(options: LoadOptions) {
  const { ledger } = options;
  let stopping = false;
  const client = async (kind: Kind) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (!stopping) {
      const isOk = await predict(options, kind, agent);
      const ended = performance.now();
      await delay(isOk ? kind.pauseMs : AFTER_TROUBLE_MS);
      // This process may have been held up: then the connection is no longer to be relied on.
      if (performance.now() - ended > MAX_IDLE_MS) agent.destroy();
    }
    agent.destroy();
  };
  const clients = KINDS.flatMap((kind) => Array.from({ length: kind.connections }, () => client(kind)));
  const running = Promise.all(clients);
  running.catch(() => undefined); // until somebody waits for it

  return {
    /** When so many more rows are acknowledged. */
    goesOn: async (rows: number): Promise<void> => {
      const enough = ledger.size() + rows;
      while (ledger.size() < enough) await Promise.race([delay(10), running]);
    },
    /** When the last request in flight has ended. */
    stop: async (): Promise<void> => {
      stopping = true;
      await running;
    },
  };
}

/** Sends one request and enters how it ended; true when it was answered with predictions. */
async function predict({ ledger, ...to }: LoadOptions, kind: Kind, agent: Agent): Promise<boolean> {
  const asked = ledger.ask(kind.rows, kind.padding);
  const path = `/api/v1/predict/${to.endpoint}${kind.path}`;
  const headers = { authorization: to.authorization, 'content-type': 'application/json' };
  const sent = request({ host: '127.0.0.1', port: to.port, path, method: 'POST', headers, agent });
  sent.end(bodyOf(asked));
  let status: number | undefined;
  let body: string;
  try {
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    status = response.statusCode;
    body = await text(response);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ECONNREFUSED') ledger.refuse('nobody listens');
    else ledger.lose(asked);
    return false;
  }
  if (status === 200) ledger.acknowledge(asked, answerOf(JSON.parse(body) as Body));
  else ledger.refuse(`${status} ${body.replace(/,"request_id":"[^"]*"/, '')}`);
  return status === 200;
}

function bodyOf({ first, rows, padding }: Asked): string {
  const all = Array.from({ length: rows }, (_, index) => rowOf(first + index, padding));
  // Some with line breaks, of which the log must have none.
  return JSON.stringify(rows === 1 ? all[0] : { rows: all }, null, first % 3 === 0 ? 1 : 0);
}

const answerOf = (body: Body): Answer => ({
  endpoint: body.endpoint,
  version: body.model.version,
  predictions: 'predictions' in body ? body.predictions : [body],
});
