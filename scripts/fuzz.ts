// `npm run test:fuzz [examples]`: Schemathesis against both OpenAPI documents, as administrator and as user, all at once.
import { FUZZ_TARGETS, startFuzzPlatform } from '../test/fuzz/fuzz.ts';

const maxExamples = Number(process.argv[2] ?? 1000);
const platform = await startFuzzPlatform();
const passed = await Promise.all(
  FUZZ_TARGETS.map(async (target) => {
    const started = performance.now();
    const { passed, report } = await platform.fuzz(target, maxExamples);
    const minutes = ((performance.now() - started) / 60_000).toFixed(1);
    const { document, role } = target;
    console.log(`\n${document} as ${role}, up to ${maxExamples} examples per operation and phase, ${minutes} min`);
    console.log(passed ? report.slice(report.search(/^=+ SUMMARY/m)) : report);
    return passed;
  }),
).finally(platform.stop);
process.exit(passed.every(Boolean) ? 0 : 1);
