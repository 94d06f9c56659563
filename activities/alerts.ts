import type { PendingDelivery } from '../db/alerts.ts';

export interface AlertDeps {
  readonly delivery: (id: number) => Promise<PendingDelivery>;
  readonly noteAttempt: (id: number, error: string | null) => Promise<void>;
  readonly endDelivery: (id: number, state: 'delivered' | 'failed') => Promise<void>;
  /** Posts a JSON text. Throws UNAVAILABLE when trying again may help. */
  readonly post: (body: string) => Promise<void>;
}
export type AlertActivities = ReturnType<typeof createAlertActivities>;

export const createAlertActivities = ({ delivery, noteAttempt, endDelivery, post }: AlertDeps) => ({
  /** At least once: a receiver knows a repeat by `delivery`. What has ended is not sent again. */
  sendAlert: async (id: number): Promise<void> => {
    const pending = await delivery(id);
    if (pending.delivery.state !== 'pending') return;
    try {
      await post(JSON.stringify(messageOf(pending)));
    } catch (error) {
      await noteAttempt(id, (error as Error).message);
      throw error;
    }
    await noteAttempt(id, null);
    await endDelivery(id, 'delivered');
  },

  giveUpAlert: (id: number): Promise<void> => endDelivery(id, 'failed'),
});

/** What the webhook is sent. */
const messageOf = ({ delivery, alert }: PendingDelivery) => ({
  delivery: delivery.id,
  event: delivery.event,
  alert: {
    id: alert.id,
    endpoint: alert.endpoint,
    kind: alert.kind,
    severity: alert.severity,
    state: alert.state,
    message: alert.message,
    model: { name: alert.model, version: alert.version },
    sequence: alert.lastSequence,
    count: alert.count,
    raised_at: alert.raisedAt.toISOString(),
    last_at: alert.lastAt.toISOString(),
    resolved_at: alert.resolvedAt?.toISOString() ?? null,
  },
});
