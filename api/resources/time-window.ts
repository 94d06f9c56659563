import { z } from '@hono/zod-openapi';

const Time = z.iso.datetime({ offset: true }).optional();

/** Query parameters of lists of what happened. */
export const TimeWindow = { since: Time, until: Time.openapi({ description: 'Exclusive' }) };
export interface GivenWindow {
  readonly since?: string | undefined;
  readonly until?: string | undefined;
}

export const windowOf = ({ since, until }: GivenWindow) => ({ since: timeOf(since), until: timeOf(until) });

/** Postgres has no year 0, and nothing happened before 1970. */
const timeOf = (text: string | undefined) => (text === undefined ? undefined : new Date(Math.max(0, Date.parse(text))));
