import type { RolloutVerb, VerbAnswer } from '../../domain/status.ts';
import { plainLines } from '../../domain/plain-line.ts';
import { count } from './plan.ts';
import type { Style } from './style.ts';

/** What the engine answered to a verb. */
export function renderAnswer(
  rollout: string,
  verb: RolloutVerb,
  given: VerbAnswer,
  style: Style,
): string {
  const answer = plainLines(given);
  const hosts = 'hosts' in verb ? ` for ${count(answer.count, 'host')}` : '';
  return [
    `${style.good(`${verb.verb} taken`)}${hosts} by ${rollout}: ${answer.next}`,
    ...answer.refused.map(({ host, reason }) => `  ${style.warn('refused')} ${host}: ${reason}`),
  ].join('\n');
}
