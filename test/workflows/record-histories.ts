/**
 * Records one history of each workflow into test/histories/, which replay.test.ts replays against the code as it
 * is then. Run it by hand for a release: `npx tsx test/workflows/record-histories.ts`; the old files are kept by git.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { localEnv } from '../setup/temporal.ts';
import { bundle } from './host-driver.ts';
import { historyToJson, sampleHistories } from './sample-histories.ts';

const folder = new URL('../histories/', import.meta.url);
/** What says something about the machine that recorded, and nothing about the workflow. */
const PRIVATE: ReadonlySet<string> = new Set(['identity', 'stackTrace', 'workerVersion']);
const PROCESS = /^\d+@[^:]+$/;

/** Leaves out traces and process names; the names of sticky queues hold one too. */
function scrub(key: string, value: unknown): unknown {
  if (PRIVATE.has(key)) return undefined;
  return typeof value === 'string' && PROCESS.test(value) ? 'worker' : value;
}

const env = await localEnv();
try {
  await mkdir(folder, { recursive: true });
  for (const { name, history } of await sampleHistories(env, await bundle())) {
    const text = JSON.stringify(historyToJson(history), scrub, 1);
    await writeFile(new URL(`${name}.json`, folder), `${text}\n`);
    console.log(`${name}: ${history.events?.length ?? 0} events`);
  }
} finally {
  await env.teardown();
}
