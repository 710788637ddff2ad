import { describe, expect, it } from 'vitest';
import { CODES } from '../../src/domain/codes.ts';
import { holdFor, type HeldAt } from '../../src/domain/holds.ts';
import type { HostExit } from '../../src/domain/host-run.ts';

const HOOK = { on: 'worker', run: ['x'], timeoutMs: 1000 } as const;
/** On its way to the trial, drained by a hook. */
const AT: HeldAt = {
  step: 'cmdline',
  undoing: false,
  begun: true,
  forward: true,
  booted: 'no',
  reboots: 1,
  kinds: ['cmdline'],
  drained: true,
  hooks: { drain: HOOK, undrain: HOOK },
  since: '2026-11-22T02:33:00.000Z',
};

function exitsOf(code: string, change: Partial<HeldAt>): readonly HostExit[] {
  return holdFor({ ...AT, ...change }, { code, sentence: 'x', evidence: {} }).exits;
}

function exit(verb: HostExit['verb'], code: string, change: Partial<HeldAt>): HostExit {
  return exitsOf(code, change).find((one) => one.verb === verb)!;
}

const skipOf = (code: string, change: Partial<HeldAt>) => exit('skip', code, change).effect;

describe('every code', () => {
  const steps = ['inspect', 'drain', 'cmdline', 'reboot', 'wait', 'iommu', 'undrain'] as const;

  it.each([...CODES.keys()])('%s recommends one exit and says what each does to guests', (code) => {
    for (const step of steps) {
      const exits = exitsOf(code, { step, begun: step !== 'inspect' });
      expect(exits.filter((one) => one.recommended)).toHaveLength(1);
      for (const one of exits) {
        expect(one.effect).toMatch(/^\S.*[^.\s]$/);
        expect(one.effect).not.toContain('undefined');
        expect(one.guests).toMatch(/^\S.{3,40}$/);
        expect(one.reboots).toMatch(/^(0|1|0 or 1)$/);
      }
    }
  });
});

describe('a skip says which line the host boots next', () => {
  const armed = /THE NEXT BOOT RUNS THE NEW LINE ONCE, every later one the old/;

  it('warns of an armed trial, which the next boot runs whoever asks for it', () => {
    expect(skipOf('reboot.refused', { step: 'reboot', booted: 'yes' })).toMatch(armed);
    expect(skipOf('reboot.no-return', { step: 'wait', booted: 'maybe' })).toMatch(armed);
  });

  it('does not warn when the trial has been booted, or there is none', () => {
    const back = { step: 'wait', booted: 'yes' } as const;
    expect(skipOf('reboot.trial-failed', back)).toContain('not armed; the next boot is the old');
    expect(skipOf('cmdline.readback', {})).toContain('not armed; the default is the old line');
    expect(skipOf('cmdline.readback', { reboots: 0 })).toContain('as the default');
  });

  it('says that a trial that runs is not the default yet', () => {
    const at = { step: 'iommu', booted: 'yes' } as const;
    expect(skipOf('iommu.no-units', at)).toContain('its next boot is the old line again');
    expect(skipOf('host.disk-full', at)).toContain('half written: see grub.cfg');
    expect(skipOf('health.failed', { ...at, step: 'health' })).toContain('proven and the default');
  });

  it('says that nothing was changed before the first change', () => {
    expect(skipOf('host.busy', { step: 'drain', begun: false })).toBe(
      'leaves it as it is; nothing was changed there',
    );
    expect(skipOf('drain.hook-failed', { step: 'drain' })).toContain('drained, as it was; nothing');
  });
});

describe('the guests of a held host', () => {
  it.each([
    ['retry', 'stay away until undrain'],
    ['rollback', 'come back at undrain'],
    ['skip', 'stay away'],
  ] as const)('after a drain: %s says %s', (verb, guests) => {
    expect(exit(verb, 'drift', {}).guests).toBe(guests);
  });

  it('are not promised back without an undrain hook', () => {
    const hooks = { drain: HOOK };
    expect(exit('rollback', 'drift', { hooks }).guests).toBe('stay away: no undrain hook');
  });

  it('are moved, or may not run, when a retry goes through the drain again', () => {
    const at = { step: 'drain', drained: false } as const;
    expect(exit('retry', 'host.busy', at).guests).toBe('moved away by the drain hook');
    expect(exit('retry', 'host.busy', { ...at, hooks: {} }).guests).toBe('none may run');
  });

  it('are not touched by what needs no reboot', () => {
    const at = { step: 'iommu', drained: false, hooks: {}, booted: 'yes' } as const;
    expect(exit('retry', 'iommu.no-units', at)).toMatchObject({
      guests: 'none touched',
      reboots: '0',
    });
    expect(exit('retry', 'drift', { drained: false, hooks: {} }).guests).toBe('none ran at drain');
  });
});

describe('the exits that are offered', () => {
  it('leave rollback out where it would claim success: not begun, undoing, or a rollback itself', () => {
    for (const change of [{ begun: false }, { undoing: true }, { forward: false }]) {
      expect(exitsOf('iommu.no-units', change).map((one) => one.verb)).toEqual(['retry', 'skip']);
    }
  });

  it('recommend the skip where nothing else can get further: the lease is gone', () => {
    expect(exit('skip', 'host.lease-lost', {}).recommended).toBe(true);
  });

  it('do not promise a reboot for a rollback of a host that was perhaps never rebooted', () => {
    expect(exit('rollback', 'reboot.refused', { step: 'reboot', booted: 'yes' }).reboots).toBe(
      '0 or 1',
    );
    expect(exit('rollback', 'reboot.trial-failed', { step: 'wait', booted: 'yes' }).reboots).toBe(
      '0',
    );
  });
});
