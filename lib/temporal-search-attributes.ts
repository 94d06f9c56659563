import type { Client } from '@temporalio/client';
import { connectTemporal } from './temporal-connection.ts';

export interface SearchAttributeOptions {
  readonly address: string;
  readonly namespace: string;
  /** All of type Keyword. */
  readonly searchAttributes: readonly string[];
}

const KEYWORD = 2; // temporal.api.enums.v1.IndexedValueType

/** Registers the search attributes that a Temporal server lacks; runs that use them would not start. Throws UNAVAILABLE. */
export async function ensureSearchAttributes(options: SearchAttributeOptions): Promise<void> {
  const client = await connectTemporal(options);
  try {
    await addSearchAttributes(client, options.searchAttributes);
  } finally {
    await client.connection.close();
  }
}

/** As `ensureSearchAttributes`, in the namespace of a client. Rejects as the server does. */
export async function addSearchAttributes(client: Client, names: readonly string[]): Promise<void> {
  const { namespace } = client.options;
  const { operatorService } = client.connection;
  const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
  const lacking = names.filter((name) => !(name in (customAttributes ?? {})));
  if (lacking.length === 0) return;
  const searchAttributes = Object.fromEntries(lacking.map((name) => [name, KEYWORD]));
  await operatorService.addSearchAttributes({ namespace, searchAttributes });
}
