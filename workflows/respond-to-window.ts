/** A window whose report is there: computed for the first time, or restated because labels arrived. */
export interface RespondInput {
  readonly endpoint: string;
  readonly sequence: number;
}

/** What follows from a window. */
export async function respondToWindow(_: RespondInput): Promise<void> {}
