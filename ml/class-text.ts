/** The class of a target as text; `True` and `true`, `1.0` and `1` are one class. */
export function classText(value: string): string {
  const text = value.trim();
  if (/^(true|false)$/i.test(text)) return text.toLowerCase();
  return text.replace(/^(-?\d+)\.0+$/, '$1');
}
