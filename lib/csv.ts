export type CsvCell = string | number | boolean | null | undefined;

/**
 * One line of a CSV file (RFC 4180, ends in CRLF). Text that a spreadsheet would run as a formula gets a leading `'`
 * (OWASP, CSV injection); numbers stay numbers.
 */
export const csvLine = (cells: readonly CsvCell[]): string => `${cells.map(cellText).join(',')}\r\n`;

const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;
// A spreadsheet also skips blanks before a formula, and reads full-width signs as the plain ones.
const FORMULA = /^[\s\0]*[=+\-@＝＋－＠]|^[\t\r\n]/u;

function cellText(cell: CsvCell): string {
  const text = String(cell ?? '');
  const safe = FORMULA.test(text) && !NUMBER.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
