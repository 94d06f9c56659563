/** Columns of a file of labels. */
export const LABEL_COLUMNS = ['prediction_id', 'endpoint', 'entity', 'at', 'label', 'observed_at'] as const;
/** A row of such a file, as text. */
export type LabelRow = Readonly<Record<(typeof LABEL_COLUMNS)[number], string | null>>;
