import type { Feature } from '../pipelines/definition.ts';
import type { ColumnProfile } from './profile.ts';

/**
 * Does a profile leave it open that its column breaks a rule of the contract? False only when every rule is known to
 * hold, so that good columns cost no query.
 */
export function maybeBroken(profile: ColumnProfile, feature: Feature | undefined): boolean {
  if (profile.nulls > 0 && (!feature?.nullable || feature.max_null_share < 1)) return true;
  if (profile.type === 'numeric') return outOfRange(profile, feature);
  if (feature?.type !== 'categorical' || !feature.allowed) return false;
  const allowed = new Set<unknown>(feature.allowed);
  return profile.other > 0 || profile.top.some(({ value }) => !allowed.has(value));
}

function outOfRange(
  { count, min, max }: Extract<ColumnProfile, { type: 'numeric' }>,
  feature: Feature | undefined,
): boolean {
  if (count === 0) return false;
  if (!Number.isFinite(min) || !Number.isFinite(max)) return true;
  if (feature?.type !== 'numeric') return false;
  return min! < Math.fround(feature.min ?? -Infinity) || max! > Math.fround(feature.max ?? Infinity);
}
