import type { RolloutVerb, VerbAnswer } from '../../domain/status.ts';
import { count } from './plan.ts';
import type { Style } from './style.ts';

/** What the engine answered to a verb. */
export function renderAnswer(
  rollout: string,
  verb: RolloutVerb,
  answer: VerbAnswer,
  style: Style,
): string {
  const hosts = 'hosts' in verb ? ` for ${count(answer.count, 'host')}` : '';
  return [
    `${style.good(`${verb.verb} taken`)}${hosts} by ${rollout}: ${answer.next}`,
    ...answer.refused.map(({ host, reason }) => `  ${style.warn('refused')} ${host}: ${reason}`),
  ].join('\n');
}
