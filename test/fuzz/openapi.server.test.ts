import { afterAll, beforeAll, expect, test } from 'vitest';
import { FUZZ_TARGETS, startFuzzPlatform } from './fuzz.ts';

const MAX_EXAMPLES = 15; // npm run test:fuzz does 1,000
let platform: Awaited<ReturnType<typeof startFuzzPlatform>>;

beforeAll(async () => {
  platform = await startFuzzPlatform();
});
afterAll(() => platform?.stop());

for (const { document, role } of FUZZ_TARGETS) {
  test.concurrent(
    `Schemathesis finds nothing wrong with the ${document} as ${role}`,
    { timeout: 900_000 },
    async () => {
      const { passed, report } = await platform.fuzz({ document, role }, MAX_EXAMPLES);
      expect(passed, report).toBe(true);
      expect(report).toMatch(/[1-9]\d* generated/);
    },
  );
}
