import type { FeatureRow } from './data.ts';
import type { Wire } from './wires.ts';

/** A server that answers predictions of one model. */
export interface BenchServer {
  readonly name: string;
  readonly url: string;
  /** Of every request. */
  readonly headers: Readonly<Record<string, string>>;
  /** The process that is measured, with its descendants. */
  readonly pid: number;
  /** Its database, whose processor time is not counted as its own. */
  readonly databasePid?: number;
  readonly row: Wire;
  readonly batch: Wire;
  readonly stop: () => Promise<void>;
}

/** Sends rows in one request. Throws unless it is answered with one probability per row. */
export async function ask(
  server: Pick<BenchServer, 'name' | 'url' | 'headers'>,
  wire: Wire,
  rows: readonly FeatureRow[],
): Promise<number[]> {
  const { headers, body } = wire.request(rows);
  const all = { ...server.headers, ...headers };
  const response = await fetch(server.url + wire.path, { method: 'POST', headers: all, body: body as string });
  const answer = Buffer.from(await response.arrayBuffer());
  if (!response.ok) throw new Error(`${server.name} answered ${response.status}: ${answer.toString().slice(0, 300)}`);
  const probabilities = wire.probabilities(answer, response.headers);
  if (probabilities.length !== rows.length || !probabilities.every(Number.isFinite))
    throw new Error(`${server.name} answered ${probabilities.length} probabilities for ${rows.length} rows`);
  return probabilities;
}
