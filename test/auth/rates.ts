import type { ApiRates } from '../../api/rates.ts';
import { createSharedRate } from '../../lib/rate-limit/shared-rate.ts';

/** Rates that no test reaches, unless it says otherwise. */
export const ratesOf = (
  limits: { readonly address?: number; readonly user?: number; readonly anonymous?: number } = {},
) => {
  const rate = (name: string, limit = 1_000_000) => createSharedRate({ policy: { name, limit, windowMs: 60_000 } });
  return {
    address: rate('address', limits.address),
    user: rate('general', limits.user),
    anonymous: rate('auth', limits.anonymous),
  } satisfies ApiRates;
};
