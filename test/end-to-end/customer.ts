import { exampleCustomer } from '../../pipelines/churn.ts';

/** What a serving process answers for the example customer, with the status. */
export async function scoreCustomer(serving: string) {
  const response = await fetch(`${serving}/predict`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(exampleCustomer),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}
