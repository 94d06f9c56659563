import { connectTemporal } from './temporal-connection.ts';

export interface SearchAttributeOptions {
  readonly address: string;
  readonly namespace: string;
  /** All of type Keyword. */
  readonly searchAttributes: readonly string[];
}

const KEYWORD = 2; // temporal.api.enums.v1.IndexedValueType

/** Registers the search attributes that a Temporal server lacks; runs that use them would not start. Throws UNAVAILABLE. */
export async function ensureSearchAttributes({
  address,
  namespace,
  searchAttributes,
}: SearchAttributeOptions): Promise<void> {
  const client = await connectTemporal({ address, namespace });
  try {
    const { operatorService } = client.connection;
    const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
    const lacking = searchAttributes.filter((name) => !(name in (customAttributes ?? {})));
    if (lacking.length === 0) return;
    const added = Object.fromEntries(lacking.map((name) => [name, KEYWORD]));
    await operatorService.addSearchAttributes({ namespace, searchAttributes: added });
  } finally {
    await client.connection.close();
  }
}
