const NAMES = ['used', 'dropped', 'refused'] as const;
type Counter = (typeof NAMES)[number];
export type SpoolCounters = ReturnType<typeof openSpoolCounters>;

export const createCounterMemory = () => new SharedArrayBuffer(NAMES.length * BigInt64Array.BYTES_PER_ELEMENT);

/** What the writers of a spool, each on a thread of its own, know together: its bytes on disk, and predictions not kept. */
export function openSpoolCounters(memory: SharedArrayBuffer) {
  const cells = new BigInt64Array(memory);
  const at = (counter: Counter) => NAMES.indexOf(counter);
  return {
    read: (counter: Counter): number => Number(Atomics.load(cells, at(counter))),
    add: (counter: Counter, amount: number): void => void Atomics.add(cells, at(counter), BigInt(amount)),
    set: (counter: Counter, value: number): void => void Atomics.store(cells, at(counter), BigInt(value)),
  };
}
