import { PlatformError, type ErrorDetail } from '../lib/errors.ts';

const LISTED = 5;

/** A file that breaks its data contract in one place. */
export const violation = (path: string, rule: string, message: string) => violations([{ path, rule, message }]);

/** DATA_CONTRACT with every broken rule; the message quotes the first ones. */
export function violations(details: readonly ErrorDetail[]): PlatformError {
  const listed = details
    .slice(0, LISTED)
    .map(({ path, message }) => (path === 'file' ? message : `${path}: ${message}`));
  const more = details.length > LISTED ? `; and ${details.length - LISTED} more` : '';
  return new PlatformError('DATA_CONTRACT', `the data breaks its contract: ${listed.join('; ')}${more}`, { details });
}

/** A value as a message may show it. */
export function shorten(value: string, length = 60): string {
  const shown = value.length > length ? `${value.slice(0, length)}…` : value;
  return `'${shown}'`;
}
