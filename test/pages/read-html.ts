export interface HtmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
}
const TAG = /<!doctype html>|<(\/?)([a-z][a-z0-9]*)((?:\s+[a-z][a-zA-Z-]*(?:="[^"<>]*")?)*)\s*(\/?)>/gi;
const STYLE = /<style>[^<]*<\/style>/;
const EMPTY = new Set(['meta', 'link', 'input', 'br']);

/**
 * The elements of a page in order. Reads only what our own pages are made of, and throws for anything else: a sign that is
 * not escaped, an attribute without quotes, an element that is not closed.
 */
export function elementsOf(given: string): HtmlElement[] {
  const page = given.replace(STYLE, '<style></style>');
  const elements: HtmlElement[] = [];
  const open: string[] = [];
  let end = 0;
  for (const match of page.matchAll(TAG)) {
    requireText(page.slice(end, match.index));
    end = match.index + match[0].length;
    const [, closing, name, attributes = '', selfClosing] = match;
    if (name === undefined) continue;
    if (closing) {
      const opened = open.pop();
      if (opened !== name) throw new Error(`</${name}> closes <${opened}>`);
      continue;
    }
    elements.push({ name, attributes: attributesOf(attributes) });
    if (!selfClosing && !EMPTY.has(name)) open.push(name);
  }
  requireText(page.slice(end));
  if (open.length > 0) throw new Error(`not closed: ${open.join(', ')}`);
  return elements;
}

const attributesOf = (text: string) =>
  Object.fromEntries([...text.matchAll(/([a-zA-Z-]+)(?:="([^"]*)")?/g)].map(([, name, value = '']) => [name!, value]));

function requireText(text: string): void {
  if (/[<>]/.test(text)) throw new Error(`not escaped: ${text.slice(0, 100)}`);
}

/** The words of a page, without its style sheet, with single spaces. */
export const textOf = (page: string): string =>
  page.replace(STYLE, ' ').replace(TAG, ' ').replaceAll('&lt;', '<').replaceAll('&amp;', '&').replace(/\s+/g, ' ');
