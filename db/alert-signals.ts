import { and, eq, ne, or, sql } from 'drizzle-orm';
import { type AlertSignal, SEVERITY } from '../pipelines/window-alerts.ts';
import { isOpen, silenceFor } from './alerts.ts';
import type { Queries } from './connect.ts';
import { type Alert, alertDeliveries, alerts, silences } from './schema/alerts.ts';

/** What signals are about, and who is told. */
export interface AlertSubject {
  readonly endpoint: string;
  readonly model: string;
  readonly version: number;
  /** Of the window that is responded to. */
  readonly sequence: number;
  /** Is there anybody to tell? */
  readonly webhook: boolean;
}

/**
 * Raises, counts up and resolves the alerts of an endpoint, and writes down who is to be told. Applying the same signals
 * again changes nothing. Only for who holds the endpoint's lock (see `alone`).
 */
export async function applySignals(tx: Queries, subject: AlertSubject, signals: readonly AlertSignal[]): Promise<void> {
  for (const signal of signals) {
    const [open] = await tx.select().from(alerts).where(isOpen(subject.endpoint, signal.kind));
    if (signal.message === null) {
      if (open) await resolve(tx, subject, open);
    } else if (open) await repeat(tx, subject, open, { ...signal, message: signal.message });
    else await raise(tx, subject, { ...signal, message: signal.message });
  }
}

/** Resolves what was raised because of another version than this one, which is served now: no window speaks of that any more. */
export async function resolveOtherVersions(tx: Queries, subject: AlertSubject): Promise<void> {
  const { endpoint, model, version } = subject;
  const others = await tx
    .select()
    .from(alerts)
    .where(
      and(
        eq(alerts.endpoint, endpoint),
        ne(alerts.state, 'resolved'),
        or(ne(alerts.model, model), ne(alerts.version, version)),
      ),
    )
    .orderBy(alerts.id);
  for (const open of others) await resolve(tx, subject, open, `${open.message}; another version is served`);
}

/** Messages to the webhook that the response to this window left, and that nobody has sent yet. */
export async function pendingDeliveries(tx: Queries, { endpoint, sequence }: AlertSubject): Promise<number[]> {
  const rows = await tx
    .select({ id: alertDeliveries.id })
    .from(alertDeliveries)
    .innerJoin(alerts, eq(alerts.id, alertDeliveries.alertId))
    .where(
      and(eq(alerts.endpoint, endpoint), eq(alertDeliveries.sequence, sequence), eq(alertDeliveries.state, 'pending')),
    )
    .orderBy(alertDeliveries.id);
  return rows.map(({ id }) => id);
}

type Firing = AlertSignal & { readonly message: string };

async function raise(tx: Queries, subject: AlertSubject, { kind, sequence, message }: Firing): Promise<void> {
  const { endpoint, model, version } = subject;
  const values = { endpoint, kind, severity: SEVERITY[kind], message, model, version, lastSequence: sequence };
  const [raised] = await tx
    .insert(alerts)
    .values({ ...values, state: 'firing', count: 1 })
    .returning();
  await tell(tx, subject, raised!, 'firing');
}

async function repeat(tx: Queries, subject: AlertSubject, open: Alert, { sequence, message }: Firing): Promise<void> {
  const isNew = sequence > open.lastSequence;
  if (isNew) {
    const { model, version } = subject;
    const seen = { message, model, version, lastSequence: sequence, count: open.count + 1, lastAt: sql`now()` };
    await tx.update(alerts).set(seen).where(eq(alerts.id, open.id));
  }
  // What a silence kept back is told once the silence is over, if it is still true.
  if (isNew && open.state === 'firing' && !(await wasTold(tx, open))) await tell(tx, subject, open, 'firing');
}

async function resolve(tx: Queries, subject: AlertSubject, open: Alert, message: string = open.message): Promise<void> {
  await tx
    .update(alerts)
    .set({ state: 'resolved', message, resolvedAt: sql`now()` })
    .where(eq(alerts.id, open.id));
  if (await wasTold(tx, open)) await tell(tx, subject, open, 'resolved');
}

async function tell(
  tx: Queries,
  { endpoint, sequence, webhook }: AlertSubject,
  { id: alertId, kind }: Alert,
  event: 'firing' | 'resolved',
): Promise<void> {
  if (!webhook) return;
  const [silence] = await tx.select().from(silences).where(silenceFor(endpoint, kind)).limit(1);
  await tx.insert(alertDeliveries).values({ alertId, event, sequence, state: silence ? 'silenced' : 'pending' });
}

async function wasTold(tx: Queries, { id }: Alert): Promise<boolean> {
  const [told] = await tx
    .select({ id: alertDeliveries.id })
    .from(alertDeliveries)
    .where(and(eq(alertDeliveries.alertId, id), ne(alertDeliveries.state, 'silenced')))
    .limit(1);
  return told !== undefined;
}
