import { readFileSync } from 'node:fs';

/**
 * Counts the tests in a report of vitest's json reporter. A file that could not even be loaded counts as one failed
 * test, so that it cannot go unseen; no report at all throws.
 */
export function countResults(path) {
  const report = JSON.parse(readFileSync(path, 'utf8'));
  const broken = report.testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && assertionResults.every((one) => one.status !== 'failed'),
  );
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + broken.length,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}
