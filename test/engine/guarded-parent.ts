// Run by guarded-process.test.ts, to be killed: starts its arguments guarded, prints the id and stays.
import { startGuarded } from '../../src/engine/embedded/guarded-process.ts';

const child = await startGuarded(process.argv.slice(2) as [string, ...string[]]);
console.log(child.pid);
await child.ended;
