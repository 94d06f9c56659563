import { PlatformError, type ErrorDetail } from '../lib/errors.ts';

const LISTED = 5;
const MAX_DETAILS = 100; // they go through the run's history

/** A file that breaks its data contract in one place. */
export const violation = (path: string, rule: string, message: string) => violations([{ path, rule, message }]);

/** DATA_CONTRACT with the broken rules, a hundred at most; the message quotes the first ones. */
export function violations(details: readonly ErrorDetail[]): PlatformError {
  const listed = details
    .slice(0, LISTED)
    .map(({ path, message }) => (path === 'file' ? message : `${path}: ${message}`));
  const more = details.length > LISTED ? `; and ${details.length - LISTED} more` : '';
  const message = `the data breaks its contract: ${listed.join('; ')}${more}`;
  return new PlatformError('DATA_CONTRACT', message, { details: bounded(details) });
}

function bounded(details: readonly ErrorDetail[]): readonly ErrorDetail[] {
  const left = details.length - MAX_DETAILS;
  if (left <= 0) return details;
  return [...details.slice(0, MAX_DETAILS), { path: 'file', rule: 'more', message: `${left} more rules are broken` }];
}

/** A value as a message may show it. */
export function shorten(value: string, length = 60): string {
  const shown = value.length > length ? `${value.slice(0, length)}…` : value;
  return `'${shown}'`;
}
