/** Rows in columns that line up, two spaces apart; the head is in capitals. A cell that is null is a dash. */
export function textTable(head: readonly string[], rows: readonly (readonly (string | number | null)[])[]): string {
  const lines = [head.map((name) => name.toUpperCase()), ...rows.map((row) => row.map((cell) => String(cell ?? '-')))];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** An ISO 8601 time to the minute. */
export const toTheMinute = (time: string) => `${time.slice(0, 10)} ${time.slice(11, 16)}`;
