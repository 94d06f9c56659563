import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { sql } from 'drizzle-orm';
import { expect, onTestFinished, test } from 'vitest';
import { connect } from '../../db/connect.ts';

const LET_IN = Buffer.from('R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I', 'latin1');
const SHUT_DOWN = Buffer.from('E\0\0\0\x22SFATAL\0C57P01\0Mshutting down\0\0\0', 'latin1');

test('a server that shuts down at the first statement of a connection fails that statement, not the process', async () => {
  const statements: string[] = [];
  const server = createServer((socket) => {
    socket.once('data', () => {
      socket.write(LET_IN);
      socket.once('data', (statement) => {
        statements.push(statement.toString('latin1'));
        socket.end(SHUT_DOWN);
      });
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const unhandled: unknown[] = [];
  const note = (error: unknown) => void unhandled.push(error);
  process.on('unhandledRejection', note);
  const { db, close } = connect(`postgres://anneal@127.0.0.1:${(server.address() as AddressInfo).port}/anneal`);
  onTestFinished(async () => {
    process.off('unhandledRejection', note);
    await close();
    server.close();
  });
  await expect(db.execute(sql`select 42`)).rejects.toThrow();
  await new Promise(setImmediate);
  expect(unhandled).toEqual([]);
  expect(statements[0]).toContain('select 42');
});
