import type { Client } from '@temporalio/client';
import type { Logger } from '../lib/log.ts';
import { addSearchAttributes } from '../lib/temporal-search-attributes.ts';
import { SEARCH_ATTRIBUTES } from '../workflows/messages.ts';

const NAMES = Object.values(SEARCH_ATTRIBUTES);

/** Registers what runs are listed by, which a server of one's own does not know at first. Repeatable. */
export async function registerSearchAttributes(client: Client, log: Logger): Promise<void> {
  try {
    await addSearchAttributes(client, NAMES);
  } catch (err) {
    // A hosted Temporal may leave this to its administrators.
    log.warn({ err, names: NAMES }, 'search attributes were not registered');
  }
}
