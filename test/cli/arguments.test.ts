import { expect, test } from 'vitest';
import { readArguments } from '../../cli/arguments.ts';

const read = (...args: string[]) =>
  readArguments(args, {
    usage: 'anneal x [<name>] [--json]',
    options: { json: { type: 'boolean', default: false } },
    most: 1,
  });

test('options may stand before or behind words', () => {
  expect(read('--json', 'churn')).toMatchObject({ values: { json: true }, positionals: ['churn'] });
  expect(read('churn')).toMatchObject({ values: { json: false }, positionals: ['churn'] });
});

test.each([[['--jsn']], [['--json=yes']], [['one', 'two']]])('%j is refused with the usage', (args) => {
  expect(() => read(...args)).toThrow('usage: anneal x [<name>] [--json]');
});
