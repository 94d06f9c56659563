import { expect, test } from 'vitest';
import { gatewayVariables, upstreamServers } from '../../deploy/nginx/gateway.ts';
import { renderTemplate } from '../../lib/nginx.ts';

test('variables are filled in wherever they stand, and those of nginx stay', () => {
  const text = 'listen ${HOST}:${PORT}; return 308 https://$host:${PORT}$request_uri; "~^(?<path>.{8})$" $path;';
  expect(renderTemplate(text, { HOST: '::1', PORT: '80', request_uri: 'no' })).toBe(
    'listen ::1:80; return 308 https://$host:80$request_uri; "~^(?<path>.{8})$" $path;',
  );
});

test('a variable without a value is an error that names it; an empty value is one', () => {
  expect(() => renderTemplate('${A} ${B} ${A} ${C}', { B: '' })).toThrow(
    expect.objectContaining({
      code: 'INVALID',
      details: [
        { path: 'A', rule: 'required', message: 'is not set' },
        { path: 'C', rule: 'required', message: 'is not set' },
      ],
    }),
  );
});

test('a value is not read as a template or a pattern', () => {
  expect(renderTemplate('<${A}>', { A: '$& ${B} $1' })).toBe('<$& ${B} $1>');
});

test('every process of an upstream is there once more, for when all have failed', () => {
  expect(upstreamServers(['a:1', 'b:2'])).toBe(
    'server a:1 max_fails=1 fail_timeout=2s; server b:2 max_fails=1 fail_timeout=2s; ' +
      'server a:1 max_fails=0 backup; server b:2 max_fails=0 backup;',
  );
});

test('callers are sent to the port that they see', () => {
  const tls = { httpsPort: 8443, publicPort: 443, certificate: 'c.pem', key: 'k.pem' };
  const rates = { auth: 30, general: 6_000, predict: 300_000 };
  const settings = { host: '0.0.0.0', httpPort: 8088, reportsPort: 8080, tls, api: [], serving: ['a:1', 'b:2'], rates };
  const paths = { runFolder: '/run/gateway', logFile: '/run/gateway.log' };
  const variables = gatewayVariables(
    { ...settings, maxBodyBytes: 1, maxBatchBytes: 1, maxUploadBytes: 2, maxModelBytes: 3 },
    paths,
  );
  expect(variables).toMatchObject({ GATEWAY_SCHEME: 'https', GATEWAY_HTTPS_PORT: '8443' });
  expect(variables).toMatchObject({ GATEWAY_PUBLIC_HTTPS_PORT: '443', GATEWAY_SERVING_TRIES: '2' });
});
