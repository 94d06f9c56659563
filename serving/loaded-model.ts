import type { ServedModel } from '../db/endpoints.ts';
import type { RowValidator } from './row-validator.ts';
import type { PackedSession } from './scoring/packed-session.ts';
import type { RowLayout } from './scoring/row-buffers.ts';

/** Median time of scoring so many rows at once, in microseconds. */
export type ScoringCost = Readonly<Record<1 | 32 | 256, number>>;

/** A model version that was loaded and checked, with the rules for its rows. */
export interface LoadedModel {
  readonly model: ServedModel;
  /** Says what is wrong with a row. */
  readonly validate: RowValidator;
  readonly layout: RowLayout;
  readonly session: PackedSession;
  readonly cost: ScoringCost;
  /** Where it is scored: on the event loop, or on a thread because one row takes too long for it. */
  readonly lane: 'inline' | 'thread';
  /** Of the file it was loaded from: its size, and the time from asking for it to having it tried and loaded. */
  readonly opened?: { readonly bytes: number; readonly seconds: number };
  release(this: void): Promise<void>;
}
