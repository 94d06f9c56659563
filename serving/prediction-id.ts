import { randomFillSync } from 'node:crypto';

const BATCH = 128;
const pool = new Uint8Array(BATCH * 10);
let used = BATCH;

/** UUID version 7 (RFC 9562): 48 bits of Unix milliseconds, then random bits. Ids sort by time. */
export function predictionId(nowMs: number = Date.now()): string {
  if (used === BATCH) {
    randomFillSync(pool);
    used = 0;
  }
  const random = pool.subarray(used * 10, ++used * 10);
  const hex = nowMs.toString(16).padStart(12, '0') + Buffer.from(random).toString('hex');
  const variant = (0x8 | (random[2]! & 0x3)).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
