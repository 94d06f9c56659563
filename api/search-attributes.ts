import type { Client } from '@temporalio/client';
import type { Logger } from '../lib/log.ts';
import { SEARCH_ATTRIBUTES } from '../workflows/messages.ts';

const KEYWORD = 2; // temporal.api.enums.v1.IndexedValueType
const ALREADY_EXISTS = 6;

/** Registers what runs are listed by, which a server of one's own does not know at first. Repeatable. */
export async function ensureSearchAttributes(client: Client, log: Logger): Promise<void> {
  const { namespace } = client.options;
  const searchAttributes = Object.fromEntries(Object.values(SEARCH_ATTRIBUTES).map((name) => [name, KEYWORD]));
  try {
    await client.connection.operatorService.addSearchAttributes({ namespace, searchAttributes });
  } catch (err) {
    if ((err as { code?: unknown }).code === ALREADY_EXISTS) return;
    // A hosted Temporal may leave this to its administrators.
    log.warn({ err, names: Object.keys(searchAttributes) }, 'search attributes were not registered');
  }
}
