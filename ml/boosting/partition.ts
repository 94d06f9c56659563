import { MISSING_BIN, type BinnedMatrix } from './binning.ts';
import type { Split } from './split.ts';

/** Moves the rows that go left before those that go right; both keep their order. `scratch` is at least as long as `rows`. */
export function partition({ words }: BinnedMatrix, rows: Uint32Array, split: Split, scratch: Uint32Array): void {
  const goesLeft = new Uint8Array(256).fill(1, 0, split.bin + 1);
  goesLeft[MISSING_BIN] = split.missingLeft ? 1 : 0;
  const shift = (split.feature & 3) * 8;
  const bins = words[split.feature >> 2]!;
  let left = 0;
  let right = 0;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    const step = goesLeft[(bins[row]! >>> shift) & 255]!;
    // Written to both sides and kept on one: a branch would be mispredicted every second row.
    rows[left] = row;
    scratch[right] = row;
    left += step;
    right += 1 - step;
  }
  rows.set(scratch.subarray(0, right), left);
}
