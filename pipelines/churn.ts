import { createRandom, normal, type Random } from '../ml/random.ts';
import type { RawRow } from '../ml/signature.ts';
import { definePipeline } from './definition.ts';
import { clip, happens, normalWithin, pick, poisson, round } from './draw.ts';

/** Will a subscriber leave? Money in currency units per month, ages in months, scores in [0, 1]. */
export const churn = definePipeline({
  name: 'churn',
  description: 'Predicts which subscribers are about to leave.',
  target: { column: 'churned' },
  features: {
    account_age: { type: 'numeric', min: 0, max: 240 },
    monthly_charges: { type: 'numeric', min: 0, max: 500 },
    total_charges: { type: 'numeric', min: 0, max: 120_000, nullable: true, max_null_share: 0.2 },
    num_services: { type: 'numeric', min: 0, max: 20 },
    customer_service_calls: { type: 'numeric', min: 0, max: 100 },
    contract_length: { type: 'numeric', min: 0, max: 60 },
    payment_method_score: { type: 'numeric', min: 0, max: 1 },
    usage_frequency: { type: 'numeric', min: 0, max: 1, nullable: true, max_null_share: 0.2 },
    support_tickets: { type: 'numeric', min: 0, max: 100 },
    satisfaction_score: { type: 'numeric', min: 0, max: 1, nullable: true, max_null_share: 0.6 },
  },
  derived: {
    paid_per_month: 'total_charges / (account_age + 1)',
    price_rise: 'monthly_charges - total_charges / max(account_age, 1)',
    price_per_service: 'monthly_charges / max(num_services, 1)',
    contacts: 'customer_service_calls + support_tickets',
    contacts_per_year: '12 * (customer_service_calls + support_tickets) / (account_age + 3)',
    disengagement: '(1 - usage_frequency) * (1 - satisfaction_score)',
    log_account_age: 'log1p(account_age)',
    age_band: 'bucket(account_age, 6, 12, 24, 48)',
  },
  candidates: [
    { algorithm: 'logistic_regression' },
    {
      algorithm: 'gradient_boosting',
      trees: [200],
      learning_rate: [0.1],
      max_leaves: [7, 15],
      min_rows_per_leaf: [30],
      early_stopping_rounds: [20],
    },
  ],
  evaluation: {
    gates: [
      { metric: 'roc_auc', at_least: 0.75 },
      { metric: 'brier', at_most: 0.2 },
    ],
  },
  decision: { threshold: { policy: 'max_f1' }, positive: 'CHURN', negative: 'STAY' },
});

/** A subscriber to score. */
export const exampleCustomer: RawRow = {
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

/**
 * Subscribers with a hidden discontent that shows in calls, tickets, usage and satisfaction. Effects meet: a high price hurts
 * on monthly contracts, calls hurt in the first year, low usage hurts with low satisfaction. Discontented subscribers skip the
 * satisfaction survey (missing not at random); nobody has been billed yet in the first month.
 */
export function* churnRows(rows: number, seed: number, market: Market = USUAL_MARKET): Generator<RawRow> {
  const random = createRandom(seed);
  for (let row = 0; row < rows; row++) yield subscriber(random, market);
}

/** What the world around the subscribers is like. */
interface Market {
  /** What is charged now, as a multiple of the usual. */
  readonly prices: number;
  /** Shift of the mean usage, which lies in [0, 1]. */
  readonly usage: number;
}
const USUAL_MARKET: Market = { prices: 1, usage: 0 };
/** Prices have risen by half, and people use less: the same subscribers leave more often. */
export const DEARER_MARKET: Market = { prices: 1.5, usage: -0.2 };

function subscriber(random: Random, market: Market): RawRow {
  const discontent = normal(random);
  const contract = contractOf(random, market);
  const behaviour = behaviourOf(random, discontent, market);
  const payment = normalWithin(random, 0.65, 0.2, 0, 1);
  const logOdds = churnLogOdds({ discontent, payment, ...contract, ...behaviour }) + 0.5 * normal(random);
  return {
    account_age: contract.age,
    monthly_charges: round(contract.charges, 2),
    total_charges: contract.age === 0 ? null : round(contract.paid, 2),
    num_services: contract.services,
    customer_service_calls: behaviour.calls,
    contract_length: contract.length,
    payment_method_score: round(payment, 2),
    usage_frequency: random() < 0.04 ? null : round(behaviour.usage, 2),
    support_tickets: behaviour.tickets,
    satisfaction_score: happens(random, -1.6 + 1.1 * discontent) ? null : round(behaviour.satisfaction, 2),
    churned: happens(random, logOdds),
  };
}

function contractOf(random: Random, { prices }: Market) {
  const age = Math.floor(clip(-30 * Math.log(1 - random()), 0, 120));
  const length = pick(random, [
    [1, age < 12 ? 0.65 : 0.4],
    [12, 0.3],
    [24, 0.2],
  ]);
  const services = 1 + Math.min(7, poisson(random, 2));
  const usual = clip(18 + 13 * services + 12 * normal(random), 15, 160);
  // Older accounts paid less per month than they are charged now.
  const paid = age * usual * normalWithin(random, 0.95, 0.08, 0.6, 1.2);
  return { age, length, services, charges: usual * prices, paid };
}

function behaviourOf(random: Random, discontent: number, market: Market) {
  return {
    calls: poisson(random, Math.exp(0.4 + 0.45 * discontent)),
    tickets: poisson(random, Math.exp(-0.1 + 0.4 * discontent)),
    usage: normalWithin(random, 0.6 + market.usage - 0.1 * discontent, 0.18, 0, 1),
    satisfaction: normalWithin(random, 0.65 - 0.14 * discontent, 0.14, 0, 1),
  };
}

interface Subscriber extends ReturnType<typeof contractOf>, ReturnType<typeof behaviourOf> {
  readonly discontent: number;
  readonly payment: number;
}

function churnLogOdds({
  discontent,
  payment,
  age,
  length,
  services,
  charges,
  calls,
  tickets,
  usage,
  satisfaction,
}: Subscriber) {
  const monthly = length === 1 ? 1 : 0;
  const price = (charges / services - 30) / 12;
  return (
    -2.6 +
    0.7 * discontent +
    monthly * (0.9 + 0.8 * price) -
    0.03 * length +
    (age < 12 ? 0.45 * Math.min(calls, 6) : 0.12 * Math.min(calls, 6)) +
    0.2 * Math.min(tickets, 5) +
    7 * (1 - usage) * (1 - satisfaction) * (satisfaction < 0.55 ? 1 : 0.4) -
    1.2 * (payment - 0.65) -
    0.3 * Math.log1p(age / 12)
  );
}
