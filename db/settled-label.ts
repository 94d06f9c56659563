/** A label as somebody reported it. */
export interface ReportedLabel {
  readonly label: string;
  /** When it became true. */
  readonly observedAt: Date;
  readonly receivedAt: Date;
  readonly reportedBy: string;
}
export type LabelOutcome = 'matched' | 'corrected' | 'unchanged';
export interface SettledLabel {
  readonly label: ReportedLabel;
  /** What was held before, oldest first: one per correction. */
  readonly replaced: readonly ReportedLabel[];
  /** Of each report, in their order. */
  readonly outcomes: readonly LabelOutcome[];
}

/**
 * What a prediction's label is after these reports, in the order of their arrival: of different labels the one observed
 * last counts, and of those observed at the same time the one that arrived last.
 */
export function settleLabel(held: ReportedLabel | null, reports: readonly ReportedLabel[]): SettledLabel {
  let label = held;
  const replaced: ReportedLabel[] = [];
  const outcomes = reports.map((report): LabelOutcome => {
    if (label === null) {
      label = report;
      return 'matched';
    }
    const isLater = report.observedAt >= label.observedAt;
    if (report.label === label.label) {
      // Seen again later, it outlives what was observed in between.
      if (isLater) label = { ...label, observedAt: report.observedAt };
      return 'unchanged';
    }
    if (!isLater) return 'unchanged';
    replaced.push(label);
    label = report;
    return 'corrected';
  });
  if (label === null) throw new RangeError('no label was reported');
  return { label, replaced, outcomes };
}
