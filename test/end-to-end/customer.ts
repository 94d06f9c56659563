/** A row of the churn pipeline, complete and within its contract. */
export const CUSTOMER = {
  account_age: 24,
  monthly_charges: 65.5,
  total_charges: 1569.5,
  num_services: 3,
  customer_service_calls: 4,
  contract_length: 12,
  payment_method_score: 0.8,
  usage_frequency: 0.7,
  support_tickets: 2,
  satisfaction_score: 0.6,
};

/** What a serving process answers for the customer, with the status. */
export async function scoreCustomer(serving: string) {
  const response = await fetch(`${serving}/predict`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(CUSTOMER),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}
