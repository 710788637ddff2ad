// Checks Node, installs the packages when they are missing or outdated, and runs the CLI in this same process.
// What is here must be readable by old versions of Node, so that they can be told what is wrong.
import { checkNode } from './check-node.mjs';

checkNode();
const { installPackages, endWithNpm } = await import('./set-up.mjs');
await installPackages();
endWithNpm();
const { register } = await import('tsx/esm/api');
register();
await import('../src/cli/main.ts');
