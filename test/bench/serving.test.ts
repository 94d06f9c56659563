import { expect, test } from 'vitest';
import { COLUMNS, benchRows } from '../../bench/serving/data.ts';
import { readLoopDelay } from '../../bench/serving/loop-delay.ts';
import { percentile } from '../../bench/serving/open-loop.ts';
import { parseStat } from '../../bench/serving/process-tree.ts';
import { mlflow, v2Binary, v2Json } from '../../bench/serving/wires.ts';

const rows = benchRows(3, 7);

test('rows are the same for the same seed, and complete', () => {
  expect(benchRows(3, 7)).toEqual(rows);
  expect(benchRows(3, 8)).not.toEqual(rows);
  for (const row of rows) expect(Object.keys(row)).toEqual(COLUMNS);
});

test('a binary V2 request has a tensor per feature, whose bytes follow the JSON in the same order', () => {
  const { headers, body } = v2Binary('light').request(rows);
  const bytes = Buffer.from(body);
  const length = Number(headers['inference-header-content-length']);
  const { inputs } = JSON.parse(bytes.subarray(0, length).toString()) as {
    inputs: { name: string; shape: number[]; datatype: string; parameters: { binary_data_size: number } }[];
  };
  expect(inputs.map(({ name }) => name)).toEqual(COLUMNS);
  let at = length;
  for (const { name, shape, datatype, parameters } of inputs) {
    expect(shape).toEqual([3, 1]);
    const tensor = bytes.subarray(at, (at += parameters.binary_data_size));
    const expected = rows.map((row) => row[name]!);
    if (datatype === 'FP32')
      expect([0, 4, 8].map((from) => tensor.readFloatLE(from))).toEqual(
        expected.map((value) => Math.fround(value as number)),
      );
    else expect(textsOf(tensor)).toEqual(expected);
  }
  expect(at).toBe(bytes.length);
});

function textsOf(tensor: Buffer): string[] {
  const texts: string[] = [];
  for (let at = 0; at < tensor.length;) {
    const end = at + 4 + tensor.readUInt32LE(at);
    texts.push(tensor.subarray(at + 4, end).toString());
    at = end;
  }
  return texts;
}

test('a binary V2 answer is read from behind its JSON', () => {
  const head = '{"outputs":[{"name":"probability","datatype":"FP32","shape":[2],"parameters":{"binary_data_size":8}}]}';
  const answer = Buffer.concat([Buffer.from(head), Buffer.from(Float32Array.of(0.25, 0.75).buffer)]);
  const headers = new Headers({ 'inference-header-content-length': String(head.length) });
  expect(v2Binary('light').probabilities(answer, headers)).toEqual([0.25, 0.75]);
});

test('V2 and MLflow requests hold each column once, and their answers are read by name', () => {
  const v2 = JSON.parse(v2Json('m').request(rows).body as string) as { inputs: { name: string; data: unknown[] }[] };
  expect(v2.inputs.map(({ data }) => data)).toEqual(COLUMNS.map((name) => rows.map((row) => row[name])));
  const flow = JSON.parse(mlflow.request(rows).body as string) as { inputs: Record<string, unknown[][]> };
  expect(flow.inputs['x3']).toEqual(rows.map((row) => [row['x3']]));
  const answer = {
    outputs: [
      { name: 'label', data: ['no'] },
      { name: 'probability', data: [0.5] },
    ],
  };
  expect(v2Json('m').probabilities(Buffer.from(JSON.stringify(answer)), new Headers())).toEqual([0.5]);
});

test('processor time of a process is read past whatever its name is', () => {
  const line = '4711 (odd) name (x)) S 42 4711 42 0 -1 4194560 100 0 0 0 150 50 9 9 20 0 8 0 100 1000 100 1844';
  expect(parseStat(line)).toEqual({ pid: 4711, parent: 42, cpuSeconds: 2 });
});

test('a percentile is the nearest rank', () => {
  const values = Array.from({ length: 200 }, (_, index) => 200 - index);
  expect(percentile(values, 0.99)).toBe(198);
  expect(percentile(values, 1)).toBe(200);
  expect(percentile([5], 0.99)).toBe(5);
  expect(() => percentile([], 0.99)).toThrow(RangeError);
});

test('the delay of the event loop is read from the metrics, in milliseconds', () => {
  const line = (quantile: string, value: string) =>
    `anneal_event_loop_delay_seconds{quantile="${quantile}",service="serving"} ${value}\n`;
  expect(readLoopDelay(line('0.5', '0.001') + line('0.99', '0.0125') + line('1', '0.9'))).toBe(12.5);
  expect(() => readLoopDelay(line('0.5', '0.001'))).toThrow('anneal_event_loop_delay_seconds');
});
