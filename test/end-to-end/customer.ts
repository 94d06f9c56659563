import { fetchWith } from '../../cli/session.ts';
import { exampleCustomer } from '../../pipelines/churn.ts';

/** What a serving process answers for the example customer, with the status. */
export async function scoreCustomer(serving: string, token: string) {
  const response = await fetchWith(token)(`${serving}/predict`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(exampleCustomer),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}
