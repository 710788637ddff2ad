import { describe, expect, it } from 'vitest';
import { lookText } from '../../../src/cli/render/host-now.ts';
import type { HostLook } from '../../../src/cli/look-at-host.ts';
import { answers, heldView } from './host-samples.ts';
import { NOW, plain } from './samples.ts';

const { status } = heldView({ code: 'health.failed', step: 'health', sentence: 'x' }, 100);

/** What is said of a host that runs the boot that was its trial, by the line that its boot loader has as the default. */
function said(defaultArgs: (found: readonly string[]) => readonly string[]): string {
  const look = { ...answers('new'), at: NOW.toISOString() } as Extract<
    HostLook,
    { kind: 'answers' }
  >;
  if (!look.bootLoader.supported || look.bootLoader.kind !== 'grub-debian')
    throw new Error('sample');
  const { defaultEntry } = look.bootLoader;
  const bootLoader = {
    ...look.bootLoader,
    defaultEntry: { ...defaultEntry, args: defaultArgs(defaultEntry.args) },
  };
  return lookText({ ...look, bootLoader }, status, plain);
}

describe('a host that runs the boot of its trial', () => {
  it('is on trial while the old line is the default', () => {
    expect(said((args) => args)).toMatch(/, on the new kernel line on trial$/);
  });

  it('is not on trial any more once the new line is the default', () => {
    const { changes } = status.run;
    const after = changes.flatMap((change) => (change.kind === 'cmdline' ? change.after : []));
    expect(said(() => after)).toMatch(/, on the new kernel line, the default since its trial$/);
  });
});
