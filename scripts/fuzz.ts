// `npm run test:fuzz [examples]`: Schemathesis against both OpenAPI documents, as administrator and as user.
import { startFuzzPlatform } from '../test/fuzz/fuzz.ts';

const maxExamples = Number(process.argv[2] ?? 1000);
const platform = await startFuzzPlatform();
let failed = 0;
try {
  for (const document of ['api', 'serving'] as const) {
    for (const role of ['admin', 'user'] as const) {
      console.log(`\n${document} as ${role}, up to ${maxExamples} examples per operation and phase`);
      const { passed, report } = await platform.fuzz({ document, role, maxExamples });
      console.log(passed ? report.slice(report.search(/^=+ SUMMARY/m)) : report);
      if (!passed) failed++;
    }
  }
} finally {
  await platform.stop();
}
process.exit(failed === 0 ? 0 : 1);
