import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';
import { PlatformError } from '../lib/errors.ts';

/** Options of a command, and at most `most` words beside them. Throws INVALID with the usage. */
export function readArguments<const Options extends ParseArgsOptionsConfig>(
  args: readonly string[],
  { usage, options, most }: { readonly usage: string; readonly options: Options; readonly most: number },
) {
  const parsed = parse(args, options, usage);
  if (parsed.positionals.length > most) throw wrong(`'${parsed.positionals[most]!}' is one word too many`, usage);
  return parsed;
}

function parse<const Options extends ParseArgsOptionsConfig>(args: readonly string[], options: Options, usage: string) {
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: true });
  } catch (cause) {
    throw wrong((cause as Error).message, usage, cause);
  }
}

const wrong = (why: string, usage: string, cause?: unknown) =>
  new PlatformError('INVALID', `${why}\nusage: ${usage}`, { cause });
