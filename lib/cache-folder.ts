import { homedir } from 'node:os';
import { join } from 'node:path';

/** What is got once and kept for all projects of this user: ANNEAL_CACHE, else $XDG_CACHE_HOME/anneal, else ~/.cache/anneal. */
export const cacheFolder = (env: NodeJS.ProcessEnv = process.env): string =>
  env.ANNEAL_CACHE || join(env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache'), 'anneal');
