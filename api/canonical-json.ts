/** JSON with sorted keys and no spaces: equal values have equal bytes, hence equal hashes. */
export const canonicalJson = (value: unknown): string => JSON.stringify(value, sortKeys);

function sortKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

export const canonicalBytes = (value: unknown): Uint8Array => Buffer.from(canonicalJson(value));
