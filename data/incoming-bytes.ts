import type { PlatformError } from '../lib/errors.ts';
import { foreignFormat, MAX_ROW_BYTES, type SourceFormat } from './file-head.ts';

/** Makes the error of a file that is turned away. `message` follows "the file". */
export type Refuse = (rule: string, message: string) => PlatformError;
/** Looks at the next bytes of a file; throws what `refuse` makes. */
export type ByteCheck = (chunk: Uint8Array) => void;

const SIGNATURE_BYTES = 10;
const DECODED_BYTES = 2 ** 20;
const STEP_BYTES = 2 ** 20;
/** Of a line at the door; what a row may hold is the data contract's business. */
export const MAX_LINE_BYTES = 8 * MAX_ROW_BYTES;
/** Of arrays and objects in a line of NDJSON. */
export const MAX_DEPTH = 64;

/** Checks a file while it comes in, in constant memory: what could not be its format, or would cost too much to read. */
export function createByteCheck(format: SourceFormat, refuse: Refuse): ByteCheck {
  const checks = [signatureCheck(format, refuse)];
  if (format !== 'parquet') checks.push(nulCheck(refuse), textCheck(refuse), lineCheck(refuse));
  if (format === 'ndjson') checks.push(depthCheck(refuse));
  return (chunk) => {
    // One chunk may be a whole body.
    for (let start = 0; start < chunk.length; start += STEP_BYTES) {
      const step = chunk.subarray(start, start + STEP_BYTES);
      for (const check of checks) check(step);
    }
  };
}

function signatureCheck(format: SourceFormat, refuse: Refuse): ByteCheck {
  let head: Buffer = Buffer.alloc(0);
  return (chunk) => {
    if (head.length >= SIGNATURE_BYTES) return;
    head = Buffer.concat([head, chunk.subarray(0, SIGNATURE_BYTES)]);
    const foreign = head.length < 4 ? null : foreignFormat(head, format);
    if (foreign) throw refuse(foreign.rule, foreign.message);
  };
}

const nulCheck =
  (refuse: Refuse): ByteCheck =>
  (chunk) => {
    if (chunk.includes(0)) throw refuse('plain_text', 'has NUL bytes, but must be plain UTF-8 text');
  };

/** Only of the start: the data contract names the row of a bad byte further down. */
function textCheck(refuse: Refuse): ByteCheck {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let seen = 0;
  let lines = 1;
  return (chunk) => {
    if (seen >= DECODED_BYTES) return;
    seen += chunk.length;
    try {
      lines += count(decoder.decode(chunk, { stream: true }), '\n');
    } catch {
      const [valid] = new TextDecoder().decode(chunk).split('\ufffd', 1);
      throw refuse('utf8', `is not UTF-8 text (line ${lines + count(valid!, '\n')})`);
    }
  };
}

const count = (text: string, character: string) => text.split(character).length - 1;

const LF = 0x0a;
const CR = 0x0d;

function lineCheck(refuse: Refuse): ByteCheck {
  let open = 0;
  return (chunk) => {
    const ends = [chunk.indexOf(LF), chunk.indexOf(CR)].filter((index) => index !== -1);
    const first = ends.length > 0 ? Math.min(...ends) : chunk.length;
    if (open + first > MAX_LINE_BYTES) throw refuse('line_size', `has a line longer than ${MAX_LINE_BYTES} bytes`);
    const last = Math.max(chunk.lastIndexOf(LF), chunk.lastIndexOf(CR));
    open = last === -1 ? open + chunk.length : chunk.length - last - 1;
  };
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN = new Set([0x5b, 0x7b]);
const CLOSE = new Set([0x5d, 0x7d]);

function depthCheck(refuse: Refuse): ByteCheck {
  let depth = 0;
  let quoted = false;
  let escaped = false;
  return (chunk) => {
    for (const byte of chunk) {
      if (byte === LF) {
        depth = 0;
        quoted = escaped = false;
      } else if (escaped) escaped = false;
      else if (quoted) {
        if (byte === QUOTE) quoted = false;
        else if (byte === BACKSLASH) escaped = true;
      } else if (byte === QUOTE) quoted = true;
      else if (OPEN.has(byte)) {
        if (++depth > MAX_DEPTH) throw refuse('depth', `has a line that is nested deeper than ${MAX_DEPTH} levels`);
      } else if (CLOSE.has(byte)) depth--;
    }
  };
}
