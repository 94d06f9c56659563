import { expect, test } from 'vitest';
import { targetDrift } from '../../../ml/drift/target-drift.ts';
import { DriftPolicy } from '../../../pipelines/drift-policy.ts';

const settings = DriftPolicy.parse({ min_rows: 100 });
const reference = { no: 800, yes: 200 };

test('labels with the shares of the reference have not drifted, others have', () => {
  const same = targetDrift(reference, { no: 81, yes: 19 }, settings);
  expect(same).toMatchObject({ column: 'target', role: 'target', type: 'categorical', drifted: false });
  const other = targetDrift(reference, { no: 50, yes: 50 }, settings);
  expect(other).toMatchObject({ drifted: true, missing: { reference: 0, current: 0 } });
  expect(other!.distribution).toMatchObject({ reference: [800, 200], current: [50, 50] });
});

test('one class alone is compared, too', () => {
  expect(targetDrift(reference, { no: 0, yes: 100 }, settings)).toMatchObject({ drifted: true });
});

test('with too few labels, or when the target is ignored, there is no comparison', () => {
  expect(targetDrift(reference, { no: 50, yes: 49 }, settings)).toBeNull();
  expect(targetDrift(reference, { no: 50, yes: 50 }, DriftPolicy.parse({ ignore: ['target'] }))).toBeNull();
  expect(targetDrift(reference, { no: 50, yes: 49 }, DriftPolicy.parse({ min_rows: 99 }))).not.toBeNull();
});
