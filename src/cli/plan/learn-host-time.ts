import type { CommandContext } from '../context.ts';
import type { Engine } from '../engine.ts';
import { rolloutId } from '../../domain/ids.ts';
import { newestNumber, readStatus } from '../rollouts.ts';
import { learntHostTime, type HostTime } from './estimate-time.ts';

/**
 * How long hosts took in the newest rollout of a spec; `undefined` when there is none, it brought no host to its end,
 * or the engine does not answer: an estimate is worth no error.
 */
export async function learnHostTime(
  context: Pick<CommandContext, 'log'>,
  engine: Engine,
  name: string,
): Promise<HostTime | undefined> {
  try {
    const number = await newestNumber(engine, name);
    if (number === 0) return undefined;
    return learntHostTime((await readStatus(engine, rolloutId(name, number))).status);
  } catch (error) {
    context.log.debug({ err: error }, 'no host time learnt');
    return undefined;
  }
}
