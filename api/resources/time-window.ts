import { z } from '@hono/zod-openapi';

const Time = z.iso.datetime({ offset: true }).optional();

/** Query parameters of lists of what happened. */
export const TimeWindow = { since: Time, until: Time.openapi({ description: 'Exclusive' }) };
export interface GivenWindow {
  readonly since?: string | undefined;
  readonly until?: string | undefined;
}

export const windowOf = ({ since, until }: GivenWindow) => ({
  since: since === undefined ? undefined : timeOf(since),
  until: until === undefined ? undefined : timeOf(until),
});

const LATEST_MS = Date.UTC(9999, 11, 31);

/** Nothing happened before 1970, nor will after 9999, and Postgres reads no such years as JavaScript writes them. */
export const timeOf = (text: string): Date => new Date(Math.min(Math.max(0, Date.parse(text)), LATEST_MS));
