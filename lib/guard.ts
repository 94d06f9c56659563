// Runs one program and ends it when the process that started this one is gone, however it went: the kernel closes the
// IPC channel even after kill -9. Started by child-process.ts as `node guard.ts <json>`.
import { spawn } from 'node:child_process';

export interface GuardOrder {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly uid?: number;
  readonly gid?: number;
  /** What asks the program to stop. */
  readonly signal: 'SIGINT' | 'SIGTERM' | 'SIGQUIT';
  /** SIGKILL follows after this long. */
  readonly graceMs: number;
}
export type GuardReport = { readonly pid: number } | { readonly failed: string };

function guard({ command, args, cwd, uid, gid, signal, graceMs }: GuardOrder): void {
  const child = spawn(command, args, { cwd, uid, gid, stdio: ['ignore', 'inherit', 'inherit'] });
  let stopping = false;
  const stop = () => {
    if (stopping) return;
    stopping = true;
    child.kill(signal);
    setTimeout(() => child.kill('SIGKILL'), graceMs).unref();
  };
  child.on('spawn', () => report({ pid: child.pid! }));
  child.on('error', (error) => report({ failed: error.message }, () => process.exit(127)));
  child.on('exit', (code) => process.exit(code ?? 1));
  process.on('disconnect', stop);
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

/** The parent may be gone already: then there is nobody to tell, and `disconnect` does the rest. */
function report(message: GuardReport, then = () => {}): void {
  if (process.connected) process.send!(message, undefined, undefined, then);
  else then();
}

if (import.meta.main) guard(JSON.parse(process.argv[2]!) as GuardOrder);
