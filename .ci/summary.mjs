// Counts the results of a vitest run from its JSON report, and names what was skipped and why.
// Usage: summary.mjs REPORT RED, where RED is 1 when a step before or around the tests failed.
import { readFileSync } from 'node:fs';

const [path, red] = process.argv.slice(2);
let report;
try {
  report = JSON.parse(readFileSync(path, 'utf8'));
} catch {
  console.log('the tests left no report\n0 passed, 1 failed');
  process.exit(1);
}

const tests = report.testResults.flatMap((file) => file.assertionResults);
const withStatus = (...statuses) => tests.filter((test) => statuses.includes(test.status));
const skipped = withStatus('pending', 'skipped', 'todo', 'disabled');
for (const test of skipped) console.log(`skipped: ${test.fullName}`);

// A file that cannot be loaded, or that fails outside of a test, has no failed assertion to count.
const broken = report.testResults.filter(
  (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
);
for (const file of broken) console.log(`failed: ${file.name.split('/').pop()}: ${file.message.split('\n')[0]}`);

const passed = withStatus('passed').length;
let failed = withStatus('failed').length + broken.length;
// Lint counts as one, so that a red run never reads as green.
if (red === '1' && failed === 0) failed = 1;
console.log(`${passed} passed, ${failed} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ''}`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
