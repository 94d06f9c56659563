/** Names of the outputs of every model file; no feature can have one of them. */
export const OUTPUTS = ['label', 'probability', 'decision'] as const;
