import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { openDoor, type Taker } from '../../../serving/cluster/door.ts';

const SOON = { timeout: 60_000 };

async function openTestDoor() {
  const door = await openDoor({ host: '127.0.0.1', port: 0, variable: 'PORT' });
  onTestFinished(door.close);
  const call = async (): Promise<Socket> => {
    const socket = connect(door.port, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    await once(socket, 'connect');
    return socket;
  };
  return { door, call };
}
/** Counts what it gets. */
function takerOf(take: Taker['take'] = () => undefined) {
  const taken: Socket[] = [];
  const taker: Taker = {
    take: (socket, refused) => (taken.push(socket), take(socket, refused)),
    hold: () => undefined,
  };
  return { taker, taken };
}
/** As Node refuses what is sent to a process that was killed: at once, before the next turn of the event loop. */
const gone = () => takerOf((_, refused) => process.nextTick(refused));

test('connections go to the processes in turn', async () => {
  const { door, call } = await openTestDoor();
  const [one, other] = [takerOf(), takerOf()];
  door.add(one.taker);
  door.add(other.taker);
  for (let calls = 0; calls < 4; calls++) await call();
  await expect.poll(() => [one.taken.length, other.taken.length], SOON).toEqual([2, 2]);
});

test('of a process that is gone the next one gets the connection, and it is not asked again', async () => {
  const { door, call } = await openTestDoor();
  const [killed, alive] = [gone(), takerOf()];
  door.add(killed.taker);
  door.add(alive.taker);
  for (let calls = 0; calls < 3; calls++) await call();
  await expect.poll(() => alive.taken.length, SOON).toBe(3);
  expect(killed.taken.length).toBe(1);
});

test('when the only process is gone, the event loop goes on and connections wait for the next', async () => {
  const { door, call } = await openTestDoor();
  const killed = gone();
  door.add(killed.taker);
  await call();
  await expect.poll(() => killed.taken.length, SOON).toBe(1);
  await call();
  await nextTurn();
  door.remove(killed.taker); // its channel closes, later
  const next = takerOf();
  door.add(next.taker);
  await expect.poll(() => next.taken.length, SOON).toBe(2);
  expect(killed.taken.length).toBe(1);
});
