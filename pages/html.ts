/** Text that is HTML already: only `html` makes it, so everything else is escaped when it gets into a page. */
export interface Markup {
  readonly markup: string;
}
export type Part = Markup | string | number | null | readonly Part[];

/** HTML in which every value that is not Markup itself stands for its characters; lists are joined, null is nothing. */
export const html = (literals: TemplateStringsArray, ...values: readonly Part[]): Markup => ({
  markup: literals.reduce((text, literal, index) => text + render(values[index - 1]!) + literal),
});

function render(part: Part): string {
  if (part === null) return '';
  if (typeof part === 'number' || typeof part === 'string') return escape(String(part));
  return 'markup' in part ? part.markup : part.map(render).join('');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
// HTML holds no other control characters, and none of those that turn the direction of what follows is part of a name.
const CONTROL = /[[\p{Cc}\u{202a}-\u{202e}\u{2066}-\u{2069}]--[\t\n\r]]/gv;

const escape = (text: string) =>
  text
    .toWellFormed()
    .replace(CONTROL, '\u{fffd}')
    .replace(/[&<>"']/g, (sign) => ENTITIES[sign]!);
