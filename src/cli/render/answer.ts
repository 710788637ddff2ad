import type { RolloutVerb, VerbAnswer } from '../../domain/status.ts';
import { plainLines } from '../../domain/plain-line.ts';
import { count } from './count.ts';
import type { Style } from './style.ts';

/** What the engine answered to a verb, and what the trail keeps of it. */
export function renderAnswer(
  rollout: string,
  verb: RolloutVerb,
  given: VerbAnswer,
  style: Style,
): string {
  const answer = plainLines(given);
  const { who, reason } = plainLines(verb);
  const hosts = 'hosts' in verb ? ` for ${count(answer.count, 'host')}` : '';
  const now = verb.verb === 'pause' && verb.now === true ? ' --now' : '';
  return [
    `${style.good(`${rollout}: ${verb.verb}${now} taken`)}${hosts}. ${answer.next}`,
    ...answer.refused.map(({ host, reason: why }) => `  ${style.warn('refused')} ${host}: ${why}`),
    style.faint(`  in the trail: by ${who}${reason === undefined ? '' : `, "${reason}"`}`),
  ].join('\n');
}
