import { randomFillSync } from 'node:crypto';

const BATCH = 1024;
const RANDOM_BYTES = 10;
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const pool = new Uint8Array(BATCH * RANDOM_BYTES);
let used = BATCH;
let time = { ms: -1, text: '' };

/** UUID version 7 (RFC 9562): 48 bits of Unix milliseconds, then random bits. Ids sort by time. */
export function predictionId(nowMs: number = Date.now()): string {
  if (used === BATCH) {
    randomFillSync(pool);
    used = 0;
  }
  if (nowMs !== time.ms) time = { ms: nowMs, text: timeOf(nowMs) };
  const at = used++ * RANDOM_BYTES;
  const hex = (index: number) => HEX[pool[at + index]!]!;
  const version = HEX[0x70 | (pool[at]! & 0x0f)]!;
  const variant = HEX[0x80 | (pool[at + 2]! & 0x3f)]!;
  return `${time.text}${version}${hex(1)}-${variant}${hex(3)}-${hex(4)}${hex(5)}${hex(6)}${hex(7)}${hex(8)}${hex(9)}`;
}

function timeOf(nowMs: number): string {
  const hex = nowMs.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-`;
}
