import type { Config } from '../lib/config.ts';
import { type AccessDirectoryDeps, startAccessDirectory } from './access-directory.ts';
import { createAuthenticator } from './authenticator.ts';
import { createKeyUses } from './key-uses.ts';
import { createTokens } from './tokens.ts';

export interface CallersDeps extends AccessDirectoryDeps {
  readonly secret: string;
  readonly config: Pick<Config, 'ACCESS_TOKEN_EXPIRE_MINUTES' | 'REFRESH_TOKEN_EXPIRE_DAYS'>;
  readonly noteUses: Parameters<typeof createKeyUses>[0];
  readonly now: () => Date;
}

/** All by which one process knows its callers. Returns as `startAccessDirectory` does. */
export async function startCallers({ secret, config, noteUses, now, ...directoryDeps }: CallersDeps) {
  const tokens = createTokens({
    secret,
    accessMinutes: config.ACCESS_TOKEN_EXPIRE_MINUTES,
    refreshDays: config.REFRESH_TOKEN_EXPIRE_DAYS,
    now,
  });
  const directory = await startAccessDirectory(directoryDeps);
  const keyUses = createKeyUses(noteUses);
  return {
    tokens,
    authenticate: createAuthenticator({ tokens, directory, now, keyUsed: keyUses.used }),
    /** Makes a change known to this process at once. */
    refresh: directory.refresh,
    stop: async (): Promise<void> => {
      await keyUses.stop();
      await directory.stop();
    },
  };
}
