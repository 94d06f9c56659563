import type { ErrorDetail } from '../lib/errors.ts';
import type { PipelineDefinition } from '../pipelines/definition.ts';

const FIELDS = [
  { name: 'minute', least: 0, most: 59, names: [] },
  { name: 'hour', least: 0, most: 23, names: [] },
  { name: 'day of month', least: 1, most: 31, names: [] },
  { name: 'month', least: 1, most: 12, names: 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ') },
  { name: 'day of week', least: 0, most: 7, names: 'sun mon tue wed thu fri sat'.split(' ') },
] as const;
type Field = (typeof FIELDS)[number];

/** What Temporal would refuse, or could never run: a wrong cron field or time zone, or no source for its runs. */
export function scheduleProblems({ schedule, source }: PipelineDefinition): ErrorDetail[] {
  if (!schedule) return [];
  const problems: ErrorDetail[] = cronProblems(schedule.cron).map((message) => ({
    path: 'schedule.cron',
    rule: 'cron',
    message,
  }));
  if (!isTimeZone(schedule.timezone)) {
    problems.push({ path: 'schedule.timezone', rule: 'timezone', message: 'is no IANA time zone' });
  }
  if (!source) problems.push({ path: 'source', rule: 'required', message: 'scheduled runs need a source' });
  return problems;
}

function cronProblems(cron: string): string[] {
  const texts = cron.trim().split(/\s+/);
  return FIELDS.flatMap((field, index) =>
    texts[index]!.split(',').every((part) => isPart(part, field))
      ? []
      : [`'${texts[index]}' is not a ${field.name} (${field.least} to ${field.most}, lists, ranges, steps)`],
  );
}

function isPart(part: string, field: Field): boolean {
  const match = /^(?:\*|(\w+)(?:-(\w+))?)(?:\/([1-9]\d?))?$/.exec(part);
  if (!match) return false;
  const [, from, to] = match;
  const low = from === undefined ? field.least : valueOf(from, field);
  const high = to === undefined ? low : valueOf(to, field);
  return low >= field.least && high <= field.most && low <= high;
}

/** NaN for what is neither a number nor a name of the field. */
function valueOf(text: string, { names, least }: Field): number {
  const named = (names as readonly string[]).indexOf(text.toLowerCase());
  if (named >= 0) return named + least;
  return /^\d{1,2}$/.test(text) ? Number(text) : NaN;
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
