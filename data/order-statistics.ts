/**
 * The values of the given ranks among the values that are not NaN, ascending from rank 0. Exact: a radix selection on
 * the bits of float32, high half first. Two passes, memory independent of rows. A NaN must be a quiet one, as
 * JavaScript and DuckDB make them.
 */
export function orderStatistics(values: Float32Array, ranks: readonly number[]): number[] {
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  const high = countHigh(bits);
  const places = ranks.map((rank) => findHigh(high, rank));
  const low = countLow(bits, new Set(places.map((place) => place.half)));
  return places.map(({ half, rank }) => toFloat(half, findLow(low.get(half)!, rank)));
}

const HALF = 1 << 16;
const SIGN = 0x8000;
const INFINITY_HALF = 0x7f80; // halves above it, sign aside, are NaN

/** Rows by the high half of their bits. */
function countHigh(bits: Int32Array): Uint32Array {
  const counts = new Uint32Array(HALF);
  for (let row = 0; row < bits.length; row++) counts[bits[row]! >>> 16]!++;
  return counts;
}

/** Rows by the low half of their bits, per wanted high half; a negative value's low half is turned round. */
function countLow(bits: Int32Array, halves: ReadonlySet<number>): Map<number, Uint32Array> {
  const wanted = [...halves];
  const slots = new Uint8Array(HALF);
  wanted.forEach((half, index) => (slots[half] = index + 1));
  const counts = new Uint32Array(wanted.length * HALF);
  for (let row = 0; row < bits.length; row++) {
    const value = bits[row]!;
    const slot = slots[value >>> 16]!;
    if (slot > 0) counts[(slot - 1) * HALF + ((value < 0 ? ~value : value) & 0xffff)]!++;
  }
  return new Map(wanted.map((half, index) => [half, counts.subarray(index * HALF, (index + 1) * HALF)]));
}

/** The high half that holds the rank, and the rank among its rows. Negative halves come first, in falling order. */
function findHigh(counts: Uint32Array, rank: number): { half: number; rank: number } {
  let left = rank;
  for (let half = SIGN | INFINITY_HALF; half >= SIGN; half--) {
    if (left < counts[half]!) return { half, rank: left };
    left -= counts[half]!;
  }
  for (let half = 0; half <= INFINITY_HALF; half++) {
    if (left < counts[half]!) return { half, rank: left };
    left -= counts[half]!;
  }
  throw new RangeError(`order statistics: rank ${rank} is beyond the values`);
}

function findLow(counts: Uint32Array, rank: number): number {
  let left = rank;
  let low = 0;
  while (left >= counts[low]!) left -= counts[low++]!;
  return low;
}

function toFloat(half: number, low: number): number {
  const bits = (half << 16) | (half >= SIGN ? ~low & 0xffff : low);
  return new Float32Array(Int32Array.of(bits).buffer)[0]! + 0; // −0 is 0
}
