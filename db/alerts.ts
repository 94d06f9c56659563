import { and, asc, desc, eq, gt, inArray, isNull, lt, ne, or, sql } from 'drizzle-orm';
import { notFound, PlatformError } from '../lib/errors.ts';
import type { AlertKind } from '../pipelines/window-alerts.ts';
import type { Database } from './connect.ts';
import { type Page, type PageRequest, readCursor, toPage } from './pagination.ts';
import { type Alert, alertDeliveries, type AlertDelivery, alerts, type Silence, silences } from './schema/alerts.ts';

export interface AlertFilter extends PageRequest {
  readonly endpoint?: string | undefined;
  readonly kind?: AlertKind | undefined;
  readonly state?: Alert['state'] | undefined;
}
export type NewSilence = Pick<Silence, 'endpoint' | 'kind' | 'until' | 'comment' | 'createdBy'>;
export interface PendingDelivery {
  readonly delivery: AlertDelivery;
  readonly alert: Alert;
}
export type AlertRepository = ReturnType<typeof createAlertRepository>;

export const createAlertRepository = (db: Database) => ({
  /** Raised last first. */
  list: async ({ endpoint, kind, state, limit, cursor }: AlertFilter): Promise<Page<Alert>> => {
    const after = readCursor(cursor, ['integer']);
    const rows = await db
      .select()
      .from(alerts)
      .where(
        and(
          endpoint === undefined ? undefined : eq(alerts.endpoint, endpoint),
          kind === undefined ? undefined : eq(alerts.kind, kind),
          state === undefined ? undefined : eq(alerts.state, state),
          after ? lt(alerts.id, after[0]) : undefined,
        ),
      )
      .orderBy(desc(alerts.id))
      .limit(limit + 1);
    return toPage(rows, limit, ({ id }) => [id]);
  },

  /** With its messages to the webhook, oldest first. Throws NOT_FOUND. */
  get: async (id: number): Promise<{ alert: Alert; deliveries: AlertDelivery[] }> => {
    const alert = await getAlert(db, id);
    const { alertId } = alertDeliveries;
    const deliveries = await db.select().from(alertDeliveries).where(eq(alertId, id)).orderBy(asc(alertDeliveries.id));
    return { alert, deliveries };
  },

  /** Says that somebody has seen it; the first one counts. Throws NOT_FOUND, and CONFLICT for one that is resolved. */
  acknowledge: async (id: number, by: string): Promise<Alert> => {
    const [changed] = await db
      .update(alerts)
      .set({ state: 'acknowledged', acknowledgedBy: by, acknowledgedAt: sql`now()` })
      .where(and(eq(alerts.id, id), eq(alerts.state, 'firing')))
      .returning();
    const alert = changed ?? (await getAlert(db, id));
    if (alert.state === 'resolved') throw new PlatformError('CONFLICT', `alert ${id} is resolved already`);
    return alert;
  },

  addSilence: async (silence: NewSilence): Promise<Silence> => {
    const [added] = await db.insert(silences).values(silence).returning();
    return added!;
  },

  /** Those that are not over, the newest first. */
  listSilences: async ({ limit, cursor }: PageRequest): Promise<Page<Silence>> => {
    const after = readCursor(cursor, ['integer']);
    const rows = await db
      .select()
      .from(silences)
      .where(and(gt(silences.until, sql`now()`), after ? lt(silences.id, after[0]) : undefined))
      .orderBy(desc(silences.id))
      .limit(limit + 1);
    return toPage(rows, limit, ({ id }) => [id]);
  },

  /** Throws NOT_FOUND. */
  getSilence: async (id: number): Promise<Silence> => {
    const [silence] = await db.select().from(silences).where(eq(silences.id, id));
    if (!silence) throw notFound('silence', String(id));
    return silence;
  },

  /** Throws NOT_FOUND. */
  removeSilence: async (id: number): Promise<void> => {
    const removed = await db.delete(silences).where(eq(silences.id, id)).returning({ id: silences.id });
    if (removed.length === 0) throw notFound('silence', String(id));
  },

  /** Throws NOT_FOUND. */
  delivery: async (id: number): Promise<PendingDelivery> => {
    const [row] = await db
      .select({ delivery: alertDeliveries, alert: alerts })
      .from(alertDeliveries)
      .innerJoin(alerts, eq(alerts.id, alertDeliveries.alertId))
      .where(eq(alertDeliveries.id, id));
    if (!row) throw notFound('delivery', String(id));
    return row;
  },

  /** Counts an attempt and keeps what went wrong. */
  noteAttempt: async (id: number, error: string | null): Promise<void> => {
    await db
      .update(alertDeliveries)
      .set({ attempts: sql`${alertDeliveries.attempts} + 1`, lastError: error })
      .where(eq(alertDeliveries.id, id));
  },

  /** Forgets alerts that were resolved before `time`, with their messages, and silences that were over by then. */
  dropBefore: (time: Date): Promise<void> =>
    db.transaction(async (tx) => {
      const old = tx.select({ id: alerts.id }).from(alerts).where(lt(alerts.resolvedAt, time));
      await tx.delete(alertDeliveries).where(inArray(alertDeliveries.alertId, old));
      await tx.delete(alerts).where(lt(alerts.resolvedAt, time));
      await tx.delete(silences).where(lt(silences.until, time));
    }),

  /** A delivery ends once; a repeat changes nothing. */
  endDelivery: async (id: number, state: 'delivered' | 'failed'): Promise<void> => {
    await db
      .update(alertDeliveries)
      .set({ state, endedAt: sql`now()` })
      .where(and(eq(alertDeliveries.id, id), eq(alertDeliveries.state, 'pending')));
  },
});

async function getAlert(db: Database, id: number): Promise<Alert> {
  const [alert] = await db.select().from(alerts).where(eq(alerts.id, id));
  if (!alert) throw notFound('alert', String(id));
  return alert;
}

/** Condition of the silences that hold now for an alert. */
export const silenceFor = (endpoint: string, kind: AlertKind) =>
  and(
    gt(silences.until, sql`now()`),
    or(isNull(silences.endpoint), eq(silences.endpoint, endpoint)),
    or(isNull(silences.kind), eq(silences.kind, kind)),
  );

export const isOpen = (endpoint: string, kind: AlertKind) =>
  and(eq(alerts.endpoint, endpoint), eq(alerts.kind, kind), ne(alerts.state, 'resolved'));
