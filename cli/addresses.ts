import type { Config } from '../lib/config.ts';
import { localUrl } from './services.ts';

export interface Addresses {
  /** One door for all, or null where the processes of this machine are asked themselves. */
  readonly gateway: string | null;
  readonly api: string;
  readonly serving: string;
}

/** Where the client commands find the platform: behind ANNEAL_URL, else at this machine's own ports. */
export function addressesOf(config: Config): Addresses {
  const gateway = config.ANNEAL_URL?.replace(/\/+$/, '');
  if (gateway !== undefined) return { gateway, api: gateway, serving: gateway };
  return {
    gateway: null,
    api: localUrl(config.API_HOST, config.API_PORT),
    serving: localUrl(config.SERVING_HOST, config.SERVING_PORT),
  };
}
