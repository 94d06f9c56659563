import { expect, test } from 'vitest';
import { createRowHashes } from '../../data/split.ts';

const shares = { train: 0.7, validation: 0.15, test: 0.15 };

/** MurmurHash3_x86_32 as published, for whole blocks. */
function murmur3(blocks: readonly number[], seed: number): number {
  const multiply = (a: bigint, b: bigint) => (a * b) & 0xffff_ffffn;
  const rotate = (x: bigint, bits: bigint) => ((x << bits) | (x >> (32n - bits))) & 0xffff_ffffn;
  let h = BigInt(seed);
  for (const block of blocks) {
    const k = multiply(rotate(multiply(BigInt(block >>> 0), 0xcc9e2d51n), 15n), 0x1b873593n);
    h = (multiply(rotate(h ^ k, 13n), 5n) + 0xe6546b64n) & 0xffff_ffffn;
  }
  h ^= BigInt(blocks.length * 4);
  h = multiply(h ^ (h >> 16n), 0x85ebca6bn);
  h = multiply(h ^ (h >> 13n), 0xc2b2ae35n);
  return Number(h ^ (h >> 16n));
}

test('a row is assigned by MurmurHash3 of its values and the seed', () => {
  const a = Float32Array.from({ length: 500 }, (_, i) => Math.fround(i / 7));
  const b = Float32Array.from({ length: 500 }, (_, i) => (i * 31) % 17);
  const hashes = createRowHashes(500, 42);
  hashes.addNumbers(a);
  hashes.addNumbers(b);
  const bits = [new Int32Array(a.buffer), new Int32Array(b.buffer)];
  const expected = Array.from({ length: 500 }, (_, row) => {
    const share = murmur3([bits[0]![row]!, bits[1]![row]!], 42) / 2 ** 32;
    return share < 0.7 ? 0 : share < 0.85 ? 1 : 2;
  });
  expect([...hashes.assign(shares)]).toEqual(expected);
});

test('0 and −0, and all kinds of NaN, are one value', () => {
  const oddNaN = new Float32Array(Int32Array.of(0x7fc00001).buffer);
  for (let seed = 0; seed < 50; seed++) {
    const hashes = createRowHashes(4, seed);
    hashes.addNumbers(Float32Array.of(0, -0, NaN, oddNaN[0]!));
    const [zero, minusZero, missing, otherMissing] = hashes.assign({ train: 0.5, validation: 0.25, test: 0.25 });
    expect([minusZero, otherMissing]).toEqual([zero, missing]);
  }
});

test('a text counts by itself, not by its code', () => {
  const texts = Array.from({ length: 300 }, (_, i) => `city ${i}`);
  const forward = createRowHashes(300, 1);
  forward.addCodes(
    Int32Array.from(texts, (_, i) => i),
    texts,
  );
  const backward = createRowHashes(300, 1);
  backward.addCodes(
    Int32Array.from(texts, (_, i) => 299 - i),
    [...texts].reverse(),
  );
  expect(backward.assign(shares)).toEqual(forward.assign(shares));
});
