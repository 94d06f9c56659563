export interface LogLine {
  readonly level: string;
  readonly time: string;
  readonly service: string;
  readonly msg: string;
  readonly err?: { readonly message?: string };
}

const SHOWN = new Set(['warn', 'error', 'fatal']);

/** A line of a service's output as a log record; what is not one already becomes one of the level given. */
export function toLogLine(text: string, service: string, level: string): LogLine {
  try {
    const parsed = JSON.parse(text) as Partial<LogLine>;
    if (typeof parsed.level === 'string' && typeof parsed.msg === 'string') return parsed as LogLine;
  } catch {
    // not JSON: a crash, or a library that prints
  }
  return { level, time: new Date().toISOString(), service, msg: text };
}

/** `12:30:01 WARN api: message`, or undefined for what a person need not see. */
export function readableLine({ level, time, service, msg, err }: LogLine): string | undefined {
  if (!SHOWN.has(level)) return undefined;
  const reason = err?.message && err.message !== msg ? `: ${err.message}` : '';
  return `${time.slice(11, 19)} ${level.toUpperCase()} ${service}: ${msg}${reason}`;
}

/** What a line of a log file says, without time and service. */
export function messageOf(text: string): string {
  const { msg, err } = toLogLine(text, '', 'info');
  return [msg, err?.message].filter((part, index, parts) => part && parts.indexOf(part) === index).join(': ');
}
