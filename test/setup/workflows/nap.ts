import { sleep } from '@temporalio/workflow';

/** Sleeps and says for how long: the smallest workflow that needs a timer. */
export async function nap(ms: number, payload: string): Promise<string> {
  await sleep(ms);
  return `${payload} after ${ms} ms`;
}
