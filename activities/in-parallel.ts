import { heartbeat } from '@temporalio/activity';

/** Runs a call for every item, at most `width` at once, in order of the items; tells the engine after each. */
export async function inParallel<I, O>(
  width: number,
  items: readonly I[],
  call: (item: I) => Promise<O>,
): Promise<O[]> {
  const results: O[] = [];
  let next = 0;
  const lane = async () => {
    for (let at = next++; at < items.length; at = next++) {
      const item = items[at];
      if (item === undefined) continue;
      results[at] = await call(item);
      heartbeat(at);
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, lane));
  return results;
}
