import { describe, expect, it } from 'vitest';
import type { HostStatus } from '../../src/domain/status.ts';
import { rebootsOfHost, rebootsText } from '../../src/cli/verb-reboots.ts';
import { DEVICES, EVERY_KIND, MODULES } from './render/device-samples.ts';
import { sampleHost } from './render/host-samples.ts';

const DONE = { state: 'done', rebootMs: 240_000 } as const;
const DEVICES_ONLY = { state: 'done' } as const;

/** A run that is over, with these changes. */
function ran(changes: HostStatus['run']['changes'], reboots: number): Pick<HostStatus, 'run'> {
  return { run: { ...sampleHost().run, changes, reboots } };
}

const text = (...args: Parameters<typeof rebootsOfHost>): string =>
  rebootsText(rebootsOfHost(...args));

describe('how often a verb reboots a host', () => {
  it('is what the exit of its hold says', () => {
    expect(text('retry', { state: 'held' }, sampleHost())).toBe('at most 1 reboot');
    expect(text('abort', { state: 'held' }, sampleHost())).toBe('at most 1 reboot');
    expect(text('skip', { state: 'held' }, sampleHost())).toBe('no reboot');
  });

  it('is one for the way out of a line that it booted into', () => {
    expect(text('rollback', DONE, ran(EVERY_KIND, 1))).toBe('1 reboot');
    expect(text('rollback', DONE, undefined)).toBe('1 reboot');
  });

  it('is none for a run that changed devices only, whatever the verb', () => {
    for (const verb of ['rollback', 'abort', 'retry'] as const) {
      expect(text(verb, DEVICES_ONLY, ran(DEVICES, 0))).toBe('no reboot');
    }
  });

  it('is not known where modules alone were changed, or the run could not be asked', () => {
    expect(text('rollback', DONE, ran([MODULES], 1))).toBe('at most 1 reboot');
    expect(text('rollback', DEVICES_ONLY, undefined)).toBe('at most 1 reboot');
    expect(text('promote', { state: 'queued' }, undefined)).toBe('at most 1 reboot');
  });
});
