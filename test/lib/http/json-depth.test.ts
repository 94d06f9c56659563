import { expect, test } from 'vitest';
import { isNestedWithin } from '../../../lib/http/json-depth.ts';

const within = (json: string, max = 3) => isNestedWithin(Buffer.from(json), max);

test('objects and arrays count as one level each, neighbours do not add up', () => {
  expect(within('[[[1]],[[2]],{"a":{"b":{}}}]'.replace('{"b":{}}', '1'))).toBe(true);
  expect(within('[{"a":[1]}]')).toBe(true);
  expect(within('[{"a":[{}]}]')).toBe(false);
  expect(within('1', 0)).toBe(true);
  expect(within('[]', 0)).toBe(false);
});

test('brackets inside strings count for nothing, escaped quotes end no string', () => {
  expect(within('{"[[[[":"{{{{\\"[[[[","b\\\\":[[]]}')).toBe(true);
  expect(within('{"a":"\\"","b":[[[]]]}')).toBe(false);
});

test('what is no JSON is read to its end without harm', () => {
  for (const text of ['', '"', '"\\', '}}}]]]', ']]]][[[[']) expect(within(text)).toBe(true);
  expect(within('[[[['), 'unclosed').toBe(false);
});
