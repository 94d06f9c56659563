/** `node deploy/healthcheck.ts <url>` ends with status 0 when the url answers 200 within 3 s, and with 1 otherwise. */
const answer = await fetch(process.argv[2] ?? '', { redirect: 'manual', signal: AbortSignal.timeout(3000) }).catch(
  () => undefined,
);
process.exit(answer?.status === 200 ? 0 : 1);
