import { createServer } from 'node:net';
import { PlatformError } from './errors.ts';

// Below every system's range for outgoing connections and `listen(0)`, so that nobody is given such a port by chance
// between our looking and the listening of the process it was found for.
const FROM = 20_000;
const TO = 32_768;
// A port is free until somebody listens on it: so none is given twice, and each process begins elsewhere.
const PER_PROCESS = 128;
let next = FROM + ((process.pid * PER_PROCESS) % (TO - FROM));

/**
 * Answers with a port that nobody listens on: `port` itself, or any when it is 0, another one each time. Throws CONFLICT
 * naming the variable.
 */
export async function claimPort(port: number, variable: string, host = '127.0.0.1'): Promise<number> {
  for (let left = PER_PROCESS; ; left--) {
    const candidate = port || anotherPort();
    try {
      return await listenOnce(candidate, host);
    } catch (error) {
      if (port !== 0 || left === 0) throw portError(error as NodeJS.ErrnoException, candidate, variable);
    }
  }
}

function anotherPort(): number {
  const port = next;
  next = port + 1 === TO ? FROM : port + 1;
  return port;
}

const listenOnce = (port: number, host: string) =>
  new Promise<number>((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(port)));
  });

/** Turns the error of a failed `listen` into one that says which setting to change; other errors pass unchanged. */
export function portError(error: NodeJS.ErrnoException, port: number, variable: string): Error {
  const why = { EADDRINUSE: 'is taken by another program', EACCES: 'may not be used by this user' }[error.code ?? ''];
  if (!why) return error;
  return new PlatformError('CONFLICT', `port ${port} ${why}; choose another with ${variable}`, {
    cause: error,
    details: [{ path: variable, rule: 'free_port', message: `port ${port} ${why}` }],
  });
}
