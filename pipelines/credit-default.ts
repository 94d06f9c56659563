import { createRandom, normal, type Random } from '../ml/random.ts';
import type { RawRow } from '../ml/signature.ts';
import { definePipeline } from './definition.ts';
import { clip, happens, logNormal, normalWithin, pick, poisson, round } from './draw.ts';

const EMPLOYMENT = ['employed', 'self_employed', 'unemployed', 'retired', 'student'] as const;
const PURPOSES = ['car', 'home_improvement', 'debt_consolidation', 'education', 'medical', 'business'] as const;
const TERMS = [12, 24, 36, 48, 60, 84] as const;

/** Will a loan be repaid? Defaults are rare and costly, so a probability of 5 % is enough to refuse. Money in currency units. */
export const creditDefault = definePipeline({
  name: 'credit-default',
  description: 'Refuses loans that are likely not to be repaid.',
  target: { column: 'defaulted', positive: 1 },
  features: {
    age: { type: 'numeric', min: 18, max: 100 },
    annual_income: { type: 'numeric', min: 0, max: 10_000_000, nullable: true, max_null_share: 0.3 },
    employment_status: { type: 'categorical', allowed: [...EMPLOYMENT] },
    years_employed: { type: 'numeric', min: 0, max: 60, nullable: true, max_null_share: 0.5 },
    loan_amount: { type: 'numeric', min: 100, max: 1_000_000 },
    loan_term_months: { type: 'categorical', values: 'integer', allowed: [...TERMS] },
    loan_purpose: { type: 'categorical', allowed: [...PURPOSES], nullable: true, max_null_share: 0.2 },
    monthly_debt: { type: 'numeric', min: 0, max: 100_000 },
    credit_utilization: { type: 'numeric', min: 0, max: 2, nullable: true, max_null_share: 0.3 },
    delinquencies_2y: { type: 'numeric', min: 0, max: 100 },
    owns_home: { type: 'boolean' },
  },
  derived: {
    loan_to_income: 'loan_amount / (annual_income + 1)',
    debt_to_income: '12 * monthly_debt / (annual_income + 1)',
    log_income: 'log1p(annual_income)',
    log_loan: 'log(loan_amount)',
    delinquent_use: 'delinquencies_2y * credit_utilization',
    utilization_band: 'bucket(credit_utilization, 0.3, 0.6, 0.9)',
    renter_debt: '(1 - owns_home) * monthly_debt',
    job_share_of_life: 'years_employed / age',
  },
  candidates: [
    { algorithm: 'logistic_regression' },
    {
      algorithm: 'gradient_boosting',
      trees: [200],
      learning_rate: [0.05],
      max_leaves: [7, 15],
      min_rows_per_leaf: [50],
      early_stopping_rounds: [20],
    },
  ],
  evaluation: {
    gates: [
      { metric: 'roc_auc', at_least: 0.65 },
      { metric: 'recall', at_least: 0.4 },
    ],
  },
  decision: { threshold: { policy: 'fixed', value: 0.05 }, positive: 'REJECT', negative: 'ACCEPT' },
});

/**
 * Loan applications. Debt weighs more without a home, delinquencies with a stretched credit line, a business loan with
 * self-employment, long terms with large loans. The self-employed and the poorer hide their income (missing not at random);
 * people without a job have no years employed, people without a credit card no utilization.
 */
export function* creditDefaultRows(rows: number, seed: number): Generator<RawRow> {
  const random = createRandom(seed);
  for (let row = 0; row < rows; row++) yield application(random);
}

function application(random: Random): RawRow {
  const thrift = normal(random);
  const person = personOf(random);
  const loan = loanOf(random, person.income);
  const credit = creditOf(random, thrift, person.income);
  const logOdds = defaultLogOdds({ ...person, ...loan, ...credit }) - 0.3 * thrift + 0.4 * normal(random);
  return {
    age: person.age,
    annual_income: happens(random, incomeHidden(person)) ? null : Math.round(person.income),
    employment_status: person.status,
    years_employed: person.hasJob ? round(person.years, 1) : null,
    loan_amount: loan.amount,
    loan_term_months: loan.term,
    loan_purpose: random() < 0.03 ? null : loan.purpose,
    monthly_debt: round(credit.debt, 2),
    credit_utilization: credit.hasCard ? round(credit.utilization, 3) : null,
    delinquencies_2y: credit.delinquencies,
    owns_home: person.ownsHome,
    defaulted: happens(random, logOdds) ? 1 : 0,
  };
}

const MEDIAN_INCOME = { employed: 48_000, self_employed: 52_000, unemployed: 14_000, retired: 27_000, student: 11_000 };

function personOf(random: Random) {
  const age = Math.round(normalWithin(random, 43, 14, 18, 88));
  const status = pick(random, statusWeights(age));
  const hasJob = status === 'employed' || status === 'self_employed';
  return {
    age,
    status,
    hasJob,
    income: clip(logNormal(random, MEDIAN_INCOME[status], 0.45), 3000, 900_000),
    years: hasJob ? random() * Math.min(age - 17, 30) : 0,
    ownsHome: happens(random, -2.2 + 0.045 * age),
  };
}

const statusWeights = (age: number) =>
  [
    ['employed', 0.68],
    ['self_employed', 0.14],
    ['unemployed', 0.06],
    ['retired', age >= 62 ? 1.5 : 0],
    ['student', age < 28 ? 0.35 : 0.01],
  ] as const satisfies readonly (readonly [(typeof EMPLOYMENT)[number], number])[];

function loanOf(random: Random, income: number) {
  return {
    amount: Math.round(clip(logNormal(random, 0.25 * income, 0.6), 500, 400_000) / 100) * 100,
    term: pick(random, weigh(TERMS, [0.12, 0.2, 0.3, 0.13, 0.17, 0.08])),
    purpose: pick(random, weigh(PURPOSES, [0.3, 0.18, 0.25, 0.1, 0.08, 0.09])),
  };
}

const weigh = <T>(values: readonly T[], weights: readonly number[]) =>
  values.map((value, i) => [value, weights[i]!] as const);

function creditOf(random: Random, thrift: number, income: number) {
  const utilization = clip(0.42 - 0.18 * thrift + 0.2 * normal(random), 0, 1.4);
  return {
    utilization,
    hasCard: random() < 0.93,
    debt: clip((income / 12) * logNormal(random, 0.16, 0.6), 0, 60_000),
    delinquencies: poisson(random, Math.exp(-1.7 - 0.5 * thrift)),
  };
}

const incomeHidden = ({ status, income }: Person) =>
  -2.3 + (status === 'self_employed' ? 1.4 : 0) - 0.9 * Math.log(income / 40_000);

type Person = ReturnType<typeof personOf>;
type Application = Person & ReturnType<typeof loanOf> & ReturnType<typeof creditOf>;

const STATUS_RISK = { employed: -0.3, self_employed: 0.2, unemployed: 1.2, retired: -0.1, student: 0.5 };
const PURPOSE_RISK = {
  car: -0.2,
  home_improvement: -0.3,
  debt_consolidation: 0.4,
  education: 0,
  medical: 0.3,
  business: 0.4,
};

function defaultLogOdds(a: Application): number {
  const burden = a.amount / a.income;
  return (
    -4.3 +
    STATUS_RISK[a.status] +
    PURPOSE_RISK[a.purpose] +
    (a.purpose === 'business' && a.status === 'self_employed' ? 0.8 : 0) +
    2.2 * Math.min(burden, 2) * (a.term >= 60 ? 1.5 : 0.8) +
    (a.ownsHome ? 1.2 : 3) * Math.min((12 * a.debt) / a.income, 1) +
    a.delinquencies * (a.hasCard && a.utilization > 0.6 ? 1.1 : 0.45) +
    1.4 * Math.max(a.utilization - 0.5, 0) -
    (a.hasJob ? 0.05 * Math.min(a.years, 12) : 0) -
    0.35 * Math.log(a.income / 40_000)
  );
}
