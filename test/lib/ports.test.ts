import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { claimPort } from '../../lib/ports.ts';

test('a taken port is a conflict that names the port and the variable', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await expect(claimPort(port, 'API_PORT')).rejects.toMatchObject({
    code: 'CONFLICT',
    message: `port ${port} is taken by another program; choose another with API_PORT`,
  });
});

test('0 gives a free port below those that systems give away by themselves', async () => {
  const port = await claimPort(0, 'API_PORT');
  const server = createServer().listen(port, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  expect(port).toBeGreaterThan(1024);
  expect(port).toBeLessThan(32_768);
});

test('0 gives nobody a port that another was given, who may not listen on it yet', async () => {
  const ports: number[] = [];
  while (ports.length < 500) ports.push(await claimPort(0, 'API_PORT'));
  expect(new Set(ports).size).toBe(500);
});
