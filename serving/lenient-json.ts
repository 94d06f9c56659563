/**
 * Parses JSON in which Python may have written NaN and Infinity, which JSON lacks. NaN is read as `nan` says, an infinity
 * as 1e999, which JSON.parse makes Infinity. @throws SyntaxError
 */
export function parseLeniently(text: string, nan: 'null' | '1e999'): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return JSON.parse(withoutNotFinite(text, nan));
  }
}

function withoutNotFinite(text: string, nan: string): string {
  let quoted = false;
  const outside = (part: string) => {
    if (part === '"') quoted = !quoted;
    return quoted ? part : part.replace(/-?\bNaN\b/g, nan).replace(/-?\bInfinity\b/g, '1e999');
  };
  return text
    .split(/(\\[^]|")/)
    .map(outside)
    .join('');
}
