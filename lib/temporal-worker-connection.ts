import { NativeConnection } from '@temporalio/worker';
import { unreachable } from './temporal-connection.ts';

/** The connection of a worker, on the native core, which clients do without. Throws UNAVAILABLE as `connectTemporal` does. */
export async function connectTemporalWorker({ address }: { readonly address: string }): Promise<NativeConnection> {
  try {
    return await NativeConnection.connect({ address });
  } catch (cause) {
    throw unreachable(address, cause);
  }
}
