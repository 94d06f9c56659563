import { expect, onTestFinished, test } from 'vitest';
import { createOutgoingFetch } from '../../lib/http/outgoing.ts';
import { createWebhook } from '../../lib/webhook.ts';
import { startWebhookReceiver } from '../webhook-receiver.ts';

const secret = 'a secret of the receiver of more than 32 characters';

async function createHook(answer: (count: number) => number, hosts?: string[]) {
  const receiver = await startWebhookReceiver(secret, answer);
  onTestFinished(receiver.stop);
  const fetch = createOutgoingFetch({ hosts: hosts ?? [receiver.host], privateAddresses: true });
  return { ...receiver, send: createWebhook({ url: receiver.url, secret, fetch, now: () => new Date() }) };
}
const alert = JSON.stringify({ delivery: 1, alert: { message: 'Ümlaut' } });

test('a message is signed over its time and its bytes', async () => {
  const { received, send } = await createHook(() => 200);
  await send(alert);
  expect(received).toMatchObject([{ isSigned: true, body: JSON.parse(alert) as object }]);
});

test('the signature is what `openssl dgst -sha256 -hmac key` says of "1000.{}"', async () => {
  let sent: unknown;
  const send = createWebhook({
    ...{ url: 'https://a.test', secret: 'key', now: () => new Date(1_000_999) },
    fetch: (_, { headers, body }) => {
      sent = { headers, body };
      return Promise.resolve({ status: 200, headers: {}, body: { destroy: () => undefined } as never });
    },
  });
  await send('{}');
  const signature = 'c32de42341dece79a1511c9e7f74a2734112edcfcf48943c976faf07047065db';
  expect(sent).toMatchObject({
    headers: { 'x-anneal-timestamp': '1000', 'x-anneal-signature': `sha256=${signature}` },
    body: '{}',
  });
});

test.each([
  [500, 'UNAVAILABLE'],
  [503, 'UNAVAILABLE'],
  [429, 'UNAVAILABLE'],
  [404, 'INVALID'],
  [401, 'INVALID'],
])('an answer %d is %s, and the error has neither the address nor the secret', async (status, code) => {
  const { send, host } = await createHook(() => status);
  const error = (await send(alert).catch((thrown: unknown) => thrown)) as Error;
  expect(error).toMatchObject({ code, message: `the webhook answered ${status}` });
  expect(JSON.stringify([error.message, error.stack])).not.toMatch(new RegExp(`${host}|${secret}|of-somebody`));
});

test('a host that is not allowed is not told', async () => {
  const { received, send } = await createHook(() => 200, ['alerts.example.org']);
  await expect(send(alert)).rejects.toMatchObject({
    code: 'INVALID',
    details: [{ path: 'ALERT_WEBHOOK_URL', rule: 'allowed' }],
  });
  expect(received).toEqual([]);
});
