import { expect, test } from 'vitest';
import { settleLabel } from '../../db/settled-label.ts';

const report = (label: string, observed: number, received = observed) => ({
  label,
  observedAt: new Date(observed),
  receivedAt: new Date(received),
  reportedBy: 'ada',
});

test('the first label matches, the same again changes nothing', () => {
  const { label, replaced, outcomes } = settleLabel(null, [report('yes', 1), report('yes', 1, 5)]);
  expect(label).toEqual(report('yes', 1));
  expect(replaced).toEqual([]);
  expect(outcomes).toEqual(['matched', 'unchanged']);
});

test('what was observed later wins, and of two at the same time what arrived later', () => {
  const held = report('no', 10);
  expect(settleLabel(held, [report('yes', 11)])).toEqual({ label: report('yes', 11), replaced: [held], outcomes: ['corrected'] }); // prettier-ignore
  expect(settleLabel(held, [report('yes', 10, 12)])).toMatchObject({
    label: { label: 'yes' },
    outcomes: ['corrected'],
  });
  expect(settleLabel(held, [report('yes', 9, 12)])).toEqual({ label: held, replaced: [], outcomes: ['unchanged'] });
});

test('each correction keeps what was there before it', () => {
  const reports = [report('no', 1), report('yes', 2), report('no', 3)];
  const { label, replaced } = settleLabel(null, reports);
  expect(label).toEqual(reports[2]);
  expect(replaced).toEqual([reports[0], reports[1]]);
});

test('a label seen again later outlives another one observed in between that arrives last', () => {
  const { label, outcomes } = settleLabel(report('yes', 1), [report('yes', 10), report('no', 5, 20)]);
  expect(label).toMatchObject({ label: 'yes', observedAt: new Date(10), receivedAt: new Date(1) });
  expect(outcomes).toEqual(['unchanged', 'unchanged']);
});
