import { expect, test } from 'vitest';
import { createRest } from '../../cli/rest.ts';
import { fetchWith } from '../../cli/session.ts';
import { testPrediction } from '../../cli/test-prediction.ts';
import { jsonServer } from './json-server.ts';

const usage = (endpoint: string | null, initial: boolean) => ({
  endpoint,
  default: initial,
  input_example: { of: endpoint },
});

async function serving(models: readonly unknown[]) {
  const server = await jsonServer(
    ({ method, url, body }) =>
    method === 'POST' ? { json: { at: url, row: JSON.parse(body) as unknown } } : url === '/api/v1/predict/models' ? { json: { models } } : undefined, // prettier-ignore
  );
  return { rest: createRest(fetchWith('a-token'), server.url), asked: server.asked };
}
const both = [usage('churn', true), usage('loans', false)];

test('the example of the default model is asked, or that of the endpoint named', async () => {
  const { rest } = await serving(both);
  expect(await testPrediction(rest, {})).toEqual({ at: '/predict', row: { of: 'churn' } });
  expect(await testPrediction(rest, { endpoint: 'loans' })).toEqual({
    at: '/api/v1/predict/loans',
    row: { of: 'loans' },
  });
});

test('a row of your own is sent as it is, and nothing else is asked', async () => {
  const { rest, asked } = await serving(both);
  expect(await testPrediction(rest, { row: '{"age":41}' })).toEqual({ at: '/predict', row: { age: 41 } });
  expect(asked.map(({ method }) => method)).toEqual(['POST']);
});

test.each(['{', '[1]', 'null', '7'])('--row %s is refused', async (row) => {
  const { rest } = await serving(both);
  await expect(testPrediction(rest, { row })).rejects.toMatchObject({ code: 'INVALID', message: expect.stringContaining('--row') as string }); // prettier-ignore
});

test('what is not served is told with what is', async () => {
  const none = await serving([]);
  await expect(testPrediction(none.rest, {})).rejects.toThrow(/no default model; train a model first/);
  const { rest } = await serving([usage('loans', false)]);
  await expect(testPrediction(rest, {})).rejects.toThrow('there is no default model; name one of loans');
  await expect(testPrediction(rest, { endpoint: 'fraud' })).rejects.toThrow(
    "nothing is served at 'fraud'; name one of loans",
  );
});
