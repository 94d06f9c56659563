import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { writeSample } from '../../cli/sample.ts';

async function sample(...args: string[]): Promise<string[]> {
  let text = '';
  const out = new Writable({ write: (chunk, _encoding, done) => ((text += String(chunk)), done()) });
  await writeSample(args, out);
  return text.trimEnd().split('\n');
}

test('sample data is CSV with a header and as many rows as asked for, the same for the same seed', async () => {
  const lines = await sample('churn', '25', '3');
  expect(lines).toHaveLength(26);
  expect(lines[0]).toMatch(/^account_age,.*,churned$/);
  expect(await sample('churn', '25', '3')).toEqual(lines);
  expect(await sample('churn', '25', '4')).not.toEqual(lines);
});

test('an unknown pipeline and a number that is none are named', async () => {
  await expect(sample('iris')).rejects.toThrow(/'iris'.*churn, credit-default, battle/);
  await expect(sample('churn', 'many')).rejects.toThrow("rows must be a whole number, at most nine digits, not 'many'");
});
