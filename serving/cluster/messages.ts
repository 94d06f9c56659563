import type { Serializable } from 'node:child_process';
import type { Snapshot } from '../../lib/exposition.ts';

/** From a process that serves to the one that started it. */
export type FromMember =
  | { readonly type: 'ready' }
  /** Wants no more connections. */
  | { readonly type: 'leaving' }
  /** Wants the metrics of all. */
  | { readonly type: 'scrape' }
  | { readonly type: 'snapshot'; readonly round: number; readonly snapshot: Snapshot };

/** To a process that serves. */
export type ToMember =
  /** Comes with a socket. */
  | { readonly type: 'connection' }
  /** Soon no connection will come any more. */
  | { readonly type: 'hold' }
  /** There were no connections after this, and will be none. */
  | { readonly type: 'left' }
  | { readonly type: 'collect'; readonly round: number }
  | { readonly type: 'scraped'; readonly snapshots: readonly Snapshot[] };

/** What a process is told at its start: which one it is, and of how many. */
export const PLACE = 'ANNEAL_SERVING_PLACE';

/** As Node's types want a message. */
export const asMessage = (message: FromMember | ToMember) => message as unknown as Serializable;
