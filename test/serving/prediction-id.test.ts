import { expect, test } from 'vitest';
import { predictionId } from '../../serving/prediction-id.ts';

test('ids are UUIDs of version 7, distinct, and sort by time', () => {
  const ids = Array.from({ length: 1000 }, (_, index) => predictionId(1_700_000_000_000 + index));
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(new Set(ids.map((id) => id.slice(15))).size).toBe(1000);
  expect([...ids].sort()).toEqual(ids);
  expect(parseInt(ids[0]!.replace('-', '').slice(0, 12), 16)).toBe(1_700_000_000_000);
});
