import { createHmac } from 'node:crypto';
import { PlatformError } from './errors.ts';
import type { OutgoingFetch } from './http/outgoing.ts';

export interface WebhookSettings {
  readonly url: string;
  readonly secret: string;
  readonly fetch: OutgoingFetch;
  readonly now: () => Date;
}
const TRY_AGAIN = new Set([408, 425, 429]);
const TIMEOUT_MS = 15_000;

/**
 * Posts a JSON text, signed: `x-anneal-signature: sha256=<hex HMAC of "<x-anneal-timestamp>.<body>">`, the timestamp in
 * seconds since 1970. Throws UNAVAILABLE when trying again may help, INVALID when not; no message has URL or secret.
 */
export const createWebhook =
  ({ url, secret, fetch, now }: WebhookSettings) =>
  async (body: string): Promise<void> => {
    const timestamp = String(Math.floor(now().getTime() / 1000));
    const { status, body: answer } = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-anneal-timestamp': timestamp,
        'x-anneal-signature': `sha256=${signatureOf(secret, timestamp, body)}`,
      },
      body,
      answerTimeoutMs: TIMEOUT_MS,
      idleTimeoutMs: TIMEOUT_MS,
      field: 'ALERT_WEBHOOK_URL',
    });
    answer.destroy();
    if (status >= 200 && status < 300) return;
    const code = status >= 500 || TRY_AGAIN.has(status) ? 'UNAVAILABLE' : 'INVALID';
    throw new PlatformError(code, `the webhook answered ${status}`);
  };

export const signatureOf = (secret: string, timestamp: string, body: string) =>
  createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');
