export type GateMetric = 'roc_auc' | 'pr_auc' | 'log_loss' | 'brier' | 'accuracy' | 'precision' | 'recall' | 'f1';

export type Gate = {
  readonly metric: GateMetric;
  readonly at_least?: number | undefined;
  readonly at_most?: number | undefined;
};
/** `value` is null where the rows do not define the metric; such a gate does not pass. */
export type GateResult = {
  metric: GateMetric;
  bound: 'at_least' | 'at_most';
  limit: number;
  value: number | null;
  passed: boolean;
  message: string;
};

/** Holds measured metrics against absolute bars, one result per gate, in their order. */
export function checkGates(
  gates: readonly Gate[],
  metrics: Readonly<Partial<Record<GateMetric, number | null>>>,
): GateResult[] {
  return gates.map((gate) => checkGate(gate, metrics[gate.metric] ?? null));
}

function checkGate(gate: Gate, value: number | null): GateResult {
  const bound = gate.at_least === undefined ? 'at_most' : 'at_least';
  const limit = gate[bound];
  if (limit === undefined) throw new RangeError(`gate on ${gate.metric} has neither at_least nor at_most`);
  const passed = value !== null && (bound === 'at_least' ? value >= limit : value <= limit);
  const measured = value === null ? 'is undefined on these rows' : `is ${format(value)}`;
  const rule = `must be ${bound.replace('_', ' ')} ${limit}`;
  return { metric: gate.metric, bound, limit, value, passed, message: `${gate.metric} ${measured}, ${rule}` };
}

/** Metric of the challenger minus that of production on the same rows, with its 95 % interval. */
export type MetricDifference = { readonly estimate: number; readonly low: number; readonly high: number };
export type RegressionCheck = {
  metric: string;
  /** How much worse the challenger is; negative when it is better. null where the metric is undefined. */
  worse_by: number | null;
  max_regression: number;
  passed: boolean;
  message: string;
};

/** A challenger may be worse than production by at most `maxRegression`; the point estimate decides. */
export function checkRegression(input: {
  readonly metric: string;
  readonly higherIsBetter: boolean;
  readonly difference: MetricDifference | null;
  readonly maxRegression: number;
}): RegressionCheck {
  const { metric, higherIsBetter, difference, maxRegression } = input;
  const result = { metric, max_regression: maxRegression };
  if (difference === null)
    return { ...result, worse_by: null, passed: false, message: `${metric} is undefined on the test rows` };
  const worseBy = higherIsBetter ? 0 - difference.estimate : difference.estimate;
  return { ...result, worse_by: worseBy, passed: worseBy <= maxRegression, message: describe(input, difference) };
}

function describe(input: { metric: string; maxRegression: number }, { estimate, low, high }: MetricDifference): string {
  const interval = `95 % interval ${format(low)} to ${format(high)}`;
  return `${input.metric} of challenger minus production is ${format(estimate)} (${interval}), may be worse by at most ${input.maxRegression}`;
}

const format = (value: number) => String(Number(value.toPrecision(6)));
