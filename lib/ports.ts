import { createServer } from 'node:net';
import { PlatformError } from './errors.ts';

/** Answers with a port that nobody listens on: `port` itself, or any when it is 0. Throws CONFLICT naming the variable. */
export function claimPort(port: number, variable: string, host = '127.0.0.1'): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => reject(portError(error, port, variable)));
    server.listen({ port, host, exclusive: true }, () => {
      const bound = (server.address() as { port: number }).port;
      server.close(() => resolve(bound));
    });
  });
}

/** Turns the error of a failed `listen` into one that says which setting to change; other errors pass unchanged. */
export function portError(error: NodeJS.ErrnoException, port: number, variable: string): Error {
  const why = { EADDRINUSE: 'is taken by another program', EACCES: 'may not be used by this user' }[error.code ?? ''];
  if (!why) return error;
  return new PlatformError('CONFLICT', `port ${port} ${why}; choose another with ${variable}`, {
    cause: error,
    details: [{ path: variable, rule: 'free_port', message: `port ${port} ${why}` }],
  });
}
