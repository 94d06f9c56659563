import { once } from 'node:events';
import { Agent, request, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { GOLDEN_ROWS } from './example-models.ts';
import { becomeReady, prepareServing, type ServingGround, startServingProcess } from './serving-under-test.ts';

const KEPT = 12;
const CLOSED = 4;
const HOST = '127.0.0.1';
const IDLE_GRACE_MS = 1_000; // as in serving/main.ts
let ground: ServingGround;
beforeAll(async () => void (ground = await prepareServing()));
afterAll(() => ground?.remove());

/**
 * One prediction: 'ok', 'refused' when nobody listens any more, 'late' when this process was held up and let its
 * connection be idle for longer than the server waits, else what went wrong.
 * @param keptSince before the last prediction on the connection, if it is kept
 */
async function predictOnce(port: number, agent: Agent, keptSince: number): Promise<string> {
  const began = performance.now();
  const headers = { authorization: ground.authorization, 'content-type': 'application/json' };
  const sent = request({ host: HOST, port, path: '/predict', method: 'POST', headers, agent });
  let written: number | undefined;
  sent.once('finish', () => (written = performance.now()));
  sent.end(JSON.stringify(GOLDEN_ROWS[0]));
  try {
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    const body = await text(response);
    return response.statusCode === 200 && body.includes('probability') ? 'ok' : `${response.statusCode} ${body}`;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ECONNREFUSED') return 'refused';
    const idleMs = (written ?? performance.now()) - (sent.reusedSocket ? keptSince : began);
    return idleMs > IDLE_GRACE_MS ? 'late' : `${message} on a ${sent.reusedSocket ? 'kept' : 'new'} connection`;
  }
}

/** A client that predicts one after the other, and connects again whenever it must, until it is refused. */
async function client(port: number, keepAlive: boolean, outcomes: Map<string, number>): Promise<void> {
  const agent = new Agent({ keepAlive, maxSockets: 1 });
  let since = performance.now();
  for (let outcome = ''; outcome !== 'refused';) {
    const began = performance.now();
    outcome = await predictOnce(port, agent, since);
    since = began;
    if (outcome !== 'late') outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
  agent.destroy();
}

test.each([
  [20, 1],
  [5, 2],
])(
  'SIGTERM under load, %i times: every request that was sent is answered, with %i process(es)',
  { timeout: 900_000 },
  async (rounds, processes) => {
    const outcomes = new Map<string, number>();
    for (let round = 0; round < rounds; round++) {
      const { child, exited, listening } = startServingProcess(ground.environment, '--processes', String(processes));
      const port = await listening;
      await becomeReady(port, processes);
      const clients = [
        ...Array.from({ length: KEPT }, () => client(port, true, outcomes)),
        ...Array.from({ length: CLOSED }, () => client(port, false, outcomes)),
      ];
      await delay(200 + 20 * round);
      child.kill('SIGTERM');
      expect(await exited).toBe(0);
      await Promise.all(clients);
    }
    console.info(`${processes} process(es):`, Object.fromEntries(outcomes));
    expect([...outcomes.keys()].sort()).toEqual(['ok', 'refused']);
    expect(outcomes.get('refused')).toBe(rounds * (KEPT + CLOSED));
    expect(outcomes.get('ok')).toBeGreaterThan(rounds * (KEPT + CLOSED));
  },
);
