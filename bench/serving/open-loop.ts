import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { benchRows, type FeatureRow } from './data.ts';
import type { BenchServer } from './server.ts';

/** Sends single rows at a steady rate, whether or not the ones before are answered. Answers how long each took, in ms. */
export async function latenciesOf(
  server: Pick<BenchServer, 'url' | 'headers' | 'row'>,
  perSecond: number,
  seconds: number,
  rows: readonly FeatureRow[] = benchRows(100, 3),
): Promise<number[]> {
  const agent = new Agent({ keepAlive: true });
  const started = performance.now();
  const answers: Promise<number>[] = [];
  for (let index = 0; index < perSecond * seconds; index++) {
    await delay(Math.max(0, started + (index * 1000) / perSecond - performance.now()));
    const answer = timeOf(server, server.row.request([rows[index % rows.length]!]), agent);
    answer.catch(() => undefined); // thrown below
    answers.push(answer);
  }
  const latencies = await Promise.all(answers);
  agent.destroy();
  return latencies;
}

const timeOf = (
  { url, headers, row }: Pick<BenchServer, 'url' | 'headers' | 'row'>,
  { headers: own, body }: ReturnType<BenchServer['row']['request']>,
  agent: Agent,
): Promise<number> =>
  new Promise((resolve, reject) => {
    const started = performance.now();
    const length = { 'content-length': Buffer.byteLength(body) };
    request(url + row.path, { method: 'POST', agent, headers: { ...headers, ...own, ...length } }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`a single row was answered ${response.statusCode}`));
      response.resume().on('end', () => resolve(performance.now() - started));
    })
      .on('error', reject)
      .end(body);
  });

/** The smallest of the values that at least that share of them does not exceed (nearest rank). */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
  if (value === undefined) throw new RangeError('a percentile needs at least one value');
  return value;
}
