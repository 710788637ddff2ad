import { describe, expect, it } from 'vitest';
import type { VerbName } from '../../src/cli/commands/verb.ts';
import { refuseBeforeAsking } from '../../src/cli/verb-refusal.ts';
import { affectedHosts, questionFor } from '../../src/cli/verb-question.ts';
import type { HostSelection } from '../../src/domain/status.ts';
import { sampleStatus } from './render/samples.ts';

function ask(verb: VerbName, selection?: HostSelection): void {
  const status = sampleStatus();
  refuseBeforeAsking(status, verb, selection, affectedHosts(status, verb, selection));
}

describe('before a verb is asked about', () => {
  it.each([
    [['hv-001'], 'Take hv-001 back to what it was: no reboot?'],
    [['hv-001', 'hv-002'], 'Take hv-001 hv-002 back to what they were: no reboot?'],
  ])('a rollback of %j is a question in the right number', (names, question) => {
    const status = sampleStatus();
    const hosts = affectedHosts(status, 'rollback', { names });
    expect(questionFor('rollback', status, hosts, { least: 0, most: 0 })).toBe(question);
  });

  it('a verb that the rollout does not take is refused with why and where to look', () => {
    expect(() => {
      ask('promote');
    }).toThrow(
      expect.objectContaining({
        outcome: 'refused',
        code: 'verb.refused',
        message:
          'enable-iommu#3 refused promote: it is running. the other hosts go on; it pauses itself at the 3rd failure',
        next: 'vfleet status enable-iommu#3',
      }),
    );
  });

  it.each<[VerbName, string[], string]>([
    ['retry', ['hv-001'], 'hv-001 is done; only "rollback" leads out of that.'],
    [
      'retry',
      ['hv-010', 'hv-001'],
      'hv-010 is running; wait until it is held or done (and 1 more).',
    ],
    ['rollback', ['hv-058'], 'hv-058 is blocked; only "retry" leads out of that.'],
  ])('%s of %j is refused, and what would work is named', (verb, names, why) => {
    expect(() => {
      ask(verb, { names });
    }).toThrow(
      expect.objectContaining({
        message: `enable-iommu#3 refused ${verb}: ${why}`,
        next: `vfleet host enable-iommu#3 ${names[0]!}`,
      }),
    );
  });

  it.each<[VerbName, HostSelection | undefined]>([
    ['abort', undefined],
    ['retry', { names: ['hv-001', 'hv-118'] }],
    ['rollback', { names: ['hv-001'] }],
    ['skip', { names: ['hv-001'] }],
    ['retry', { all: 'held' }],
  ])('%s of %j is left to the question and the engine', (verb, selection) => {
    expect(() => {
      ask(verb, selection);
    }).not.toThrow();
  });
});
