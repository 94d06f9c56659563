/** Number of a row's split; also the index of its share. */
export const SPLIT_NAMES = ['train', 'validation', 'test'] as const;
export type SplitName = (typeof SPLIT_NAMES)[number];

export interface SplitShares {
  readonly train: number;
  readonly validation: number;
  readonly test: number;
}

/**
 * A hash of every row, one column at a time: MurmurHash3_x86_32 (Appleby, 2011) with the columns' values as its 4-byte
 * blocks. It depends on the row's own values, the order of the columns and the seed; on nothing else.
 */
export interface RowHashes {
  /** The bits of float32 values; all NaN are one value, and so are 0 and −0. */
  addNumbers(values: Float32Array): void;
  /** Hashes of the texts that the codes stand for; −1 is missing. */
  addCodes(codes: Int32Array, texts: readonly string[]): void;
  /** Number of every row's split. */
  assign(shares: SplitShares): Uint8Array;
}

/** @param seed unsigned 32 bits */
export function createRowHashes(rows: number, seed: number): RowHashes {
  const hashes = new Int32Array(rows).fill(seed | 0);
  let length = 0;
  return {
    addNumbers: (values) => {
      const bits = new Int32Array(values.buffer, values.byteOffset, rows);
      for (let row = 0; row < rows; row++) {
        const value = values[row]!;
        const block = value !== value ? MISSING : value === 0 ? 0 : bits[row]!;
        hashes[row] = addBlock(hashes[row]!, block);
      }
      length += 4;
    },
    addCodes: (codes, texts) => {
      const blocks = Int32Array.from(texts, hashText);
      for (let row = 0; row < rows; row++) {
        hashes[row] = addBlock(hashes[row]!, codes[row]! < 0 ? MISSING : blocks[codes[row]!]!);
      }
      length += 4;
    },
    assign: ({ train, validation }) => {
      const splits = new Uint8Array(rows);
      for (let row = 0; row < rows; row++) {
        const share = (finish(hashes[row]! ^ length) >>> 0) / 0x1_0000_0000;
        splits[row] = share < train ? 0 : share < train + validation ? 1 : 2;
      }
      return splits;
    },
  };
}

const MISSING = 0x7fc00000; // the bits of a quiet NaN

function addBlock(hash: number, block: number): number {
  let k = Math.imul(block, 0xcc9e2d51);
  k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
  const mixed = hash ^ k;
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}

function finish(hash: number): number {
  let h = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** MurmurHash3_x86_32 of the UTF-8 bytes, padded with zeros to whole blocks, seed 0. */
function hashText(text: string): number {
  const bytes = Buffer.from(text);
  const padded = Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
  let hash = 0;
  for (let at = 0; at < padded.length; at += 4) hash = addBlock(hash, padded.readInt32LE(at));
  return finish(hash ^ bytes.length);
}

/** The rows of each split, in their order. */
export function scatter<T extends Float32Array | Int32Array | Uint8Array>(
  values: T,
  splits: Uint8Array,
  out: readonly T[],
): void {
  const at = [0, 0, 0];
  for (let row = 0; row < splits.length; row++) {
    const split = splits[row]!;
    out[split]![at[split]!++] = values[row]!;
  }
}

export function splitSizes(splits: Uint8Array): number[] {
  const sizes = [0, 0, 0];
  for (const split of splits) sizes[split]!++;
  return sizes;
}
