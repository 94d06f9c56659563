import { Client, Connection, type ClientOptions } from '@temporalio/client';
import { PlatformError } from './errors.ts';

export interface TemporalConnectionOptions {
  readonly address: string;
  readonly namespace: string;
  /** From `Telemetry`; empty when tracing is off. */
  readonly plugins?: ClientOptions['plugins'];
  readonly timeoutMs?: number;
}

/** A connected client; `client.connection.close()` ends it. Throws UNAVAILABLE, naming TEMPORAL_ADDRESS, in bounded time. */
export async function connectTemporal(options: TemporalConnectionOptions): Promise<Client> {
  const { address, namespace, plugins = [], timeoutMs = 10_000 } = options;
  try {
    const connection = await Connection.connect({ address, connectTimeout: timeoutMs });
    return new Client({ connection, namespace, plugins });
  } catch (cause) {
    throw unreachable(address, cause);
  }
}

/** The error when `address` does not answer. */
export const unreachable = (address: string, cause: unknown) =>
  new PlatformError('UNAVAILABLE', `no Temporal server answers at ${address} (TEMPORAL_ADDRESS)`, { cause });
