import { readFileSync } from 'node:fs';

/** Ends the process with one clear sentence when this Node is older than package.json's `engines` says. */
export function checkNode() {
  const { engines } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  const wanted = engines.node.replace('>=', '').split('.').map(Number);
  const found = process.versions.node.split('.').map(Number);
  const difference = wanted.map((part, index) => found[index] - part).find((part) => part !== 0);
  if (difference === undefined || difference > 0) return;
  console.error(
    `vfleet: needs Node.js ${wanted.join('.')} or newer, and this is ${process.versions.node}. See https://nodejs.org`,
  );
  process.exit(1);
}
