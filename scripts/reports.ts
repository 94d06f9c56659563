import { join } from 'node:path';

const folder = join(import.meta.dirname, '..', '.anneal', 'reports');
/** Written by vitest under `npm test`. */
export const TEST_REPORT = join(folder, 'tests.json');
/** Written by `npm run verify`: `{passed, failed}` of its checks. */
export const VERIFY_REPORT = join(folder, 'verify.json');
/** Written by vitest under `npm run verify`. */
export const UNIT_REPORT = join(folder, 'unit.json');
