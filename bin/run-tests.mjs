// `npm test`: installs what is missing, then runs every static check and all tests. Ends with one plain line, the count of
// both. `--lab` runs the tests in lab/ on virtual machines instead; other arguments are vitest's own.
import { checkNode } from './check-node.mjs';

checkNode();
const { endWithNpm, installPackages, ROOT } = await import('./set-up.mjs');
await installPackages();
endWithNpm();
const { readFileSync, rmSync } = await import('node:fs');
const { countResults } = await import('./results.mjs');
const { runToEnd, stopOnSignals } = await import('./run-to-end.mjs');

const REPORT = '.cache/vitest-report.json';
const args = process.argv.slice(2).filter((word) => word !== '--lab');
const lab = process.argv.includes('--lab');
stopOnSignals();
await getServers();
const counts = { passed: 0, failed: 0, skipped: 0 };
if (!lab) await runChecks();
await runTests();
const skipped =
  counts.skipped === 0 ? '' : ` (and ${counts.skipped} skipped, which says why above)`;
if (skipped !== '') console.log(`Skipped tests:${skipped}`);
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exit(counts.failed === 0 && counts.passed > 0 ? 0 : 1);

/** Both servers first: else several test files would download them at once, and time out. */
async function getServers() {
  const { register } = await import('tsx/esm/api');
  const unregister = register();
  const { findTemporal, findTestServer } = await import('../src/engine/embedded/binaries.ts');
  const options = { env: process.env, onProgress: (sentence) => console.error(sentence) };
  try {
    await findTemporal(options);
    await findTestServer(options);
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
  await unregister();
}

/** Each `check:...` of package.json counts as one test; its output is shown when it fails. */
async function runChecks() {
  const { scripts } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8'));
  for (const name of Object.keys(scripts).filter((script) => script.startsWith('check:'))) {
    const started = Date.now();
    const { code, output } = await runToEnd('npm', ['run', '--silent', name], { keep: true });
    const seconds = ((Date.now() - started) / 1000).toFixed(1);
    console.log(`${code === 0 ? 'passed' : 'FAILED'}  ${name} (${seconds} s)`);
    if (code !== 0) console.log(output.trim());
    counts[code === 0 ? 'passed' : 'failed'] += 1;
  }
}

async function runTests() {
  rmSync(`${ROOT}${REPORT}`, { force: true });
  const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--reporter=default', '--reporter=json'];
  if (lab) vitest.push('--config', 'lab/vitest.config.ts');
  const { code } = await runToEnd(process.execPath, [
    ...vitest,
    `--outputFile.json=${REPORT}`,
    ...args,
  ]);
  try {
    const found = countResults(`${ROOT}${REPORT}`);
    for (const key of Object.keys(counts)) counts[key] += found[key];
    // An error outside of every test fails the run without a failed test.
    if (code !== 0 && found.failed === 0) counts.failed += 1;
  } catch {
    console.error('vitest left no report');
    counts.failed += 1;
  }
}
