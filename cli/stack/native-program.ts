import type { ProgramOptions } from '../../lib/child-process.ts';
import type { Replica } from './plan.ts';

/** What runs on this machine in the place of a container. */
export interface NativeProgram extends Pick<
  ProgramOptions,
  'command' | 'args' | 'env' | 'cwd' | 'uid' | 'gid' | 'signal'
> {
  /** True when it is healthy; a throw is a no. */
  readonly healthy: () => Promise<boolean>;
}
/** A service that the program of another one does too, or that cannot be had here; `reason` is for people. */
export type Instead =
  { readonly partOf: string; readonly healthy: () => Promise<boolean> } | { readonly reason: string };

export interface PrepareOptions {
  /** Gets lines to read. */
  readonly report: (line: string) => void;
  /** Gets what is to be done when the replica has stopped. */
  readonly defer: (close: () => unknown) => void;
}
/** Makes what the program needs in the replica's folders, and says how to start it. */
export type Prepare = (replica: Replica, options: PrepareOptions) => Promise<NativeProgram | Instead>;

/** What a program of the system gets that finds others: nothing else of this process's environment. */
export const bareEnvironment = (): NodeJS.ProcessEnv => ({ PATH: process.env.PATH, HOME: process.env.HOME });

/** The URL that a health check asks; undefined when it asks none. */
export const urlAsked = ({ healthcheck }: Replica): string | undefined =>
  healthcheck?.find((word) => /^https?:\/\//.test(word));

/** Whether a URL answers with a status of success. */
export const answersAt = (url: string) => async (): Promise<boolean> =>
  (await fetch(url, { signal: AbortSignal.timeout(3000) })).ok;

/** A program with the arguments and environment that the file gives its container; healthy when the URL answers. */
export const asWritten = (program: string, replica: Replica, url = urlAsked(replica)!): NativeProgram => ({
  command: program,
  args: replica.command,
  env: { ...bareEnvironment(), ...replica.environment },
  healthy: answersAt(url),
});
