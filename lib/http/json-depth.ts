/** JSON nested deeper is refused before it is parsed: whatever walks it later may recurse. */
export const MAX_JSON_DEPTH = 64;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Do the objects and arrays of this UTF-8 text nest at most `max` deep? Reads the bytes once; need not be valid JSON. */
export function isNestedWithin(json: Uint8Array, max: number): boolean {
  let depth = 0;
  for (let at = 0; at < json.length; at++) {
    const byte = json[at];
    if (byte === QUOTE) at = endOfString(json, at);
    else if (byte === 0x7b || byte === 0x5b) {
      if (++depth > max) return false;
    } else if (byte === 0x7d || byte === 0x5d) depth--;
  }
  return true;
}

function endOfString(json: Uint8Array, start: number): number {
  let at = start + 1;
  while (at < json.length && json[at] !== QUOTE) at += json[at] === BACKSLASH ? 2 : 1;
  return at;
}
