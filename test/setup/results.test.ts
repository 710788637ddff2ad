import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';

const RESULTS = fileURLToPath(new URL('../../bin/results.mjs', import.meta.url));

/** What bin/results.mjs counts in this report of vitest. */
async function count(report: object): Promise<unknown> {
  const folder = await mkdtemp(join(tmpdir(), 'vfleet-results-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'report.json');
  await writeFile(path, JSON.stringify(report));
  const script = `const { countResults } = await import(${JSON.stringify(RESULTS)});
    console.log(JSON.stringify(countResults(${JSON.stringify(path)})));`;
  const args = ['--input-type=module', '--eval', script];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }));
}

it('counts a test file that could not be loaded as one failed test', async () => {
  const report = {
    numPassedTests: 5,
    numFailedTests: 1,
    numPendingTests: 2,
    numTodoTests: 0,
    testResults: [
      { status: 'passed', assertionResults: [{ status: 'passed' }] },
      { status: 'failed', assertionResults: [{ status: 'failed' }, { status: 'passed' }] },
      { status: 'failed', assertionResults: [] },
    ],
  };
  expect(await count(report)).toEqual({ passed: 5, failed: 2, skipped: 2 });
});
