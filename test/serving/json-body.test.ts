import { expect, test } from 'vitest';
import { createRandom } from '../../ml/random.ts';
import { rowArrays } from '../../serving/json-body.ts';

const arraysOf = (body: string, atOnce: number) =>
  rowArrays(body, (JSON.parse(body) as { rows: unknown[] }).rows, atOnce);
const linesOf = (body: string) => arraysOf(body, 1).map((array) => array.slice(1, -1));

test('rows full of braces, quotes and breaks are cut as JSON has them, or not at all', () => {
  const random = createRandom(5);
  const text = () =>
    Array.from({ length: 3 }, () => ['{', '}', '"', '\\', ',', ':', 'rows', '\n', 'x'][Math.floor(random() * 9)]).join(
      '',
    );
  for (let round = 0; round < 3000; round++) {
    const rows = Array.from({ length: 1 + (round % 4) }, () => ({ [text()]: random() < 0.5 ? text() : round }));
    const body = JSON.stringify({ rows });
    const arrays = arraysOf(body, 1 + (round % 3));
    expect(arrays.flatMap((array) => JSON.parse(array) as unknown[])).toEqual(rows);
    expect(arrays.filter((array) => array.includes('\n'))).toEqual([]);
  }
});

test.each([
  ['{"rows":[{"a":1},{"a":2}]}', ['{"a":1}', '{"a":2}']],
  ['  { "rows" : [ {"a": 1.50 } , { "a":2}] }  ', ['{"a": 1.50 }', '{ "a":2}']],
  ['{"rows":[{}]}', ['{}']],
  ['{"rows":[{"a":"}"},{"a":"{"}]}', ['{"a":"}"}', '{"a":"{"}']],
  ['{"rows":[{"a":"},{"},{"a":"x"}]}', ['{"a":"},{"}', '{"a":"x"}']],
  ['{"rows":[{"}":1},{"{":2}]}', ['{"}":1}', '{"{":2}']],
  ['{"rows":[{"a":"{"},{"a":2}]}', ['{"a":"{"}', '{"a":2}']],
  ['{"rows":[{"a":1}],"rows":[{"a":2}]}', ['{"a":2}']],
  ['{"rows":[],"rows":[{"a":2}]}', ['{"a":2}']],
  ['{"rows":[\n{"a":\n1}]}', ['{"a":1}']],
  ['{"rows":[{"a":"\\u007d"},{"a":"größe"}]}', ['{"a":"\\u007d"}', '{"a":"größe"}']],
])('the rows of %j', (body, lines) => {
  const found = linesOf(body);
  expect(found).toEqual(lines);
  expect(found.map((line) => JSON.parse(line) as unknown)).toEqual((JSON.parse(body) as { rows: unknown[] }).rows);
});

test('so many rows are in each array, the rest in the last', () => {
  const rows = Array.from({ length: 7 }, (_, a) => ({ a }));
  for (const body of [JSON.stringify({ rows }), JSON.stringify({ rows }, null, 2)])
    expect(arraysOf(body, 3)).toEqual(
      [rows.slice(0, 3), rows.slice(3, 6), rows.slice(6)].map((some) => JSON.stringify(some)),
    );
});
