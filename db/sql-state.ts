/** The SQLSTATE of what a query threw; '' when no server answered. */
export function sqlStateOf(error: unknown): string {
  const { cause } = error as Error;
  const { code = '' } = (cause ?? error) as { readonly code?: string };
  return code;
}
