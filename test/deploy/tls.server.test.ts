import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { chmod, readFile } from 'node:fs/promises';
import { type IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import type { GatewaySettings } from '../../deploy/nginx/gateway.ts';
import { claimPort } from '../../lib/ports.ts';
import { temporaryFolder } from '../platform.ts';
import { requireProgram } from '../programs.ts';
import { gatewayOf, NGINX, problemIn, processBehind, send } from './gateway-under-test.ts';

/** A certificate for 127.0.0.1 that signs itself. */
async function selfSigned() {
  const { path, remove } = await temporaryFolder('tls');
  onTestFinished(remove);
  const [certificate, key] = [join(path, 'certificate.pem'), join(path, 'key.pem')];
  const made = ['-keyout', key, '-out', certificate, '-days', '1', '-subj', '/CN=gateway'];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  await promisify(execFile)('openssl', ['req', '-x509', ...kind, ...made, '-addext', 'subjectAltName=IP:127.0.0.1']);
  // Where the tests run as root, nginx does not.
  await chmod(path, 0o755);
  await chmod(key, 0o644);
  return { certificate, key };
}

async function secureGateway(nginx: string, changes: Partial<GatewaySettings> = {}) {
  const files = await selfSigned();
  const httpsPort = await claimPort(0, 'GATEWAY_HTTPS_PORT');
  const gateway = await gatewayOf(nginx, { ...changes, tls: { httpsPort, ...files } });
  const ca = await readFile(files.certificate);
  const get = async (path: string, port = httpsPort) => {
    const sent = request({ host: '127.0.0.1', port, path, ca, agent: false }).end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    return { status: response.statusCode, headers: response.headers, text: await text(response) };
  };
  /** The protocol agreed on, or the code of the refusal. */
  const handshake = async (options: ConnectionOptions) => {
    const socket: TLSSocket = connect({ host: '127.0.0.1', port: httpsPort, ca, ...options });
    try {
      await once(socket, 'secureConnect');
      return socket.getProtocol();
    } catch (error) {
      return (error as NodeJS.ErrnoException).code;
    } finally {
      socket.destroy();
    }
  };
  return { ...gateway, httpsPort, get, handshake };
}

requireProgram(NGINX, (nginx) => {
  test('over TLS the routes are the same, the process behind hears of it, and browsers are told to stay', async () => {
    const api = await processBehind((_, response) => {
      response.writeHead(200, { 'strict-transport-security': 'max-age=1' }).end('{}');
    });
    const { get, reportsPort } = await secureGateway(nginx, { api: [api.address] });
    const [answered, refused] = [await get('/api/v1/runs'), await get('/metrics')];
    const reports = await get('/reports', reportsPort);
    expect([answered.status, refused.status, reports.status]).toEqual([200, 404, 200]);
    expect(api.seen.map(({ headers }) => headers['x-forwarded-proto'])).toEqual(['https', 'https']);
    for (const { headers } of [answered, refused, reports])
      expect(headers['strict-transport-security']).toBe('max-age=31536000');
    expect(problemIn(refused)).toMatchObject({ code: 'NOT_FOUND' });
  });

  test('TLS 1.3 and 1.2 are spoken; 1.1 and a cipher without authenticated encryption are refused', async () => {
    const { handshake } = await secureGateway(nginx);
    expect(await handshake({})).toBe('TLSv1.3');
    expect(await handshake({ maxVersion: 'TLSv1.2' })).toBe('TLSv1.2');
    // Without this the client itself would refuse.
    const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' } as const;
    expect(await handshake(old)).toBe('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
    const weak = { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA' } as const;
    expect(await handshake(weak)).toMatch(/HANDSHAKE_FAILURE/);
  });

  test('plain HTTP is sent to HTTPS with method, path and query, and a probe needs no certificate', async () => {
    const { port, httpsPort } = await secureGateway(nginx);
    const answer = await send({
      port,
      path: '/api/v1/train?a=b%20c',
      method: 'POST',
      headers: { host: 'example.org' },
    });
    expect([answer.status, answer.headers.location]).toEqual([
      308,
      `https://example.org:${httpsPort}/api/v1/train?a=b%20c`,
    ]);
    expect((await send({ port, path: '/healthz' })).status).toBe(200);
    const toTheWrongPort = await send({ port: httpsPort, path: '/healthz' });
    expect([toTheWrongPort.status, problemIn(toTheWrongPort)['code']]).toEqual([400, 'BAD_REQUEST']);
  });

  test('a certificate that is not there is an error with what nginx says of it', async () => {
    const tls = { httpsPort: 1, certificate: '/nowhere/certificate.pem', key: '/nowhere/key.pem' };
    await expect(gatewayOf(nginx, { tls })).rejects.toMatchObject({
      code: 'INVALID',
      message: expect.stringMatching(/refuses its configuration[^]*\/nowhere\/certificate\.pem/) as string,
    });
  });
});
