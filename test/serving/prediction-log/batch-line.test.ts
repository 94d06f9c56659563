import { expect, test } from 'vitest';
import { rowsAt, singleLines } from '../../../serving/prediction-log/batch-line.ts';
import { exampleBatch, exampleLine, lineOf } from './examples.ts';

const bytes = (text: string) => Buffer.from(text);

test('a line holds as many predictions as it says, one where it says nothing', () => {
  const [single, batch] = [exampleLine(), lineOf(exampleBatch())];
  const lines = bytes(single + batch + single);
  expect(rowsAt(lines, 0)).toBe(1);
  expect(rowsAt(lines, bytes(single).length)).toBe(3);
  expect(rowsAt(lines, bytes(single + batch).length)).toBe(1);
  expect(
    ['', '{"rows":', '{"rows":0,', '{"rows":-4,', '{"row":9}', '\0\0'].map((line) => rowsAt(bytes(line), 0)),
  ).toEqual(Array(6).fill(1));
});

test('a line of several predictions becomes one of each, with the outcome on its side of the cut', () => {
  const batch = exampleBatch();
  const [endpoint, revision] = [batch.endpoint, batch.revision];
  const outcomes = [
    { label: 'no', decision: 'ACCEPT' },
    { label: 'yes', decision: 'REJECT' },
    { label: 'no', decision: 'ACCEPT' },
  ];
  const lines = singleLines(lineOf(batch));
  expect(lines.every((line) => line.endsWith('}\n'))).toBe(true);
  expect(lines.map((line) => JSON.parse(line) as object)).toEqual(
    outcomes.map((outcome, row) => ({
      ...{ id: batch.ids[row], features: batch.features[row], probability: batch.probabilities[row], ...outcome },
      ...{ endpoint, revision, model: batch.model, version: batch.version, caller: batch.caller },
      ...{ latency_us: batch.latency_us, trace_id: batch.trace_id, request_id: batch.request_id },
    })),
  );
});

test('a line of one prediction stays as it is, and a damaged one throws', () => {
  const line = exampleLine();
  expect(singleLines(line)).toEqual([line]);
  expect(() => singleLines('{"rows":2,"ids":["a\n')).toThrow(SyntaxError);
  expect(() => singleLines('{"rows":2}\n')).toThrow(TypeError);
});
