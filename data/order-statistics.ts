/**
 * The values of the given ranks among the values that are not NaN, ascending from rank 0. Exact: a radix selection on
 * the bits of float32, which sort like integers once the sign is turned round. Two passes, memory independent of rows.
 */
export function orderStatistics(values: Float32Array, ranks: readonly number[]): number[] {
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  const high = countHigh(values, bits);
  const places = ranks.map((rank) => place(high, rank));
  const low = countLow(values, bits, new Set(places.map(({ bin }) => bin)));
  return places.map(({ bin, rank }) => toFloat((bin << 16) | place(low.get(bin)!, rank).bin));
}

const BINS = 1 << 16;

/** Bits of a float32 as an unsigned integer of the same order. −0 counts as 0. */
const ordered = (bits: number) => (bits < 0 ? (bits === -0x8000_0000 ? 0x8000_0000 : ~bits) : bits ^ 0x8000_0000) >>> 0;

function countHigh(values: Float32Array, bits: Int32Array): Uint32Array {
  const counts = new Uint32Array(BINS);
  for (let row = 0; row < bits.length; row++) {
    if (values[row] === values[row]) counts[ordered(bits[row]!) >>> 16]!++;
  }
  return counts;
}

function countLow(values: Float32Array, bits: Int32Array, bins: ReadonlySet<number>): Map<number, Uint32Array> {
  const wanted = [...bins];
  const slots = new Uint8Array(BINS);
  wanted.forEach((bin, index) => (slots[bin] = index + 1));
  const counts = new Uint32Array(wanted.length * BINS);
  for (let row = 0; row < bits.length; row++) {
    if (values[row] !== values[row]) continue;
    const key = ordered(bits[row]!);
    const slot = slots[key >>> 16]!;
    if (slot > 0) counts[(slot - 1) * BINS + (key & 0xffff)]!++;
  }
  return new Map(wanted.map((bin, index) => [bin, counts.subarray(index * BINS, (index + 1) * BINS)]));
}

/** The bin that holds the rank, and the rank inside it. */
function place(counts: Uint32Array, rank: number): { bin: number; rank: number } {
  let left = rank;
  for (let bin = 0; bin < counts.length; bin++) {
    if (left < counts[bin]!) return { bin, rank: left };
    left -= counts[bin]!;
  }
  throw new RangeError(`order statistics: rank ${rank} is beyond the values`);
}

function toFloat(key: number): number {
  const bits = key >>> 0 >= 0x8000_0000 ? key ^ 0x8000_0000 : ~key;
  return new Float32Array(Int32Array.of(bits).buffer)[0]!;
}
