import { expect, it } from 'vitest';
import type { HostRunState } from '../../../src/domain/host-run.ts';
import { renderHost } from '../../../src/cli/render/host.ts';
import { createStyle } from '../../../src/cli/render/style.ts';
import { CHANGE } from '../../workflows/fake-hosts.ts';
import { sampleHost } from './host-samples.ts';

type Evidence = HostRunState['evidence'];
const TRIAL = { default: 'unchanged' };
const LINE = { default: 'quiet intel_iommu=on' };
const PROVEN = { units: 'dmar0' };

// Somebody power-cycles a host on the strength of this line.
it.each<[HostRunState['step'], Evidence, boolean, RegExp]>([
  ['cmdline', {}, false, /STILL THE OLD/],
  ['wait', { cmdline: TRIAL }, false, /STILL THE OLD/],
  ['iommu', { cmdline: TRIAL }, false, /STILL THE OLD/],
  ['iommu', { cmdline: TRIAL, iommu: PROVEN }, false, /MAY BE THE DEFAULT/],
  ['iommu', { cmdline: TRIAL, iommu: { ...PROVEN, ...LINE } }, false, /proven and is the default/],
  ['health', { cmdline: TRIAL, iommu: PROVEN }, false, /proven and is the default/],
  // A retry installs the trial again, and the default is the old line all the same.
  ['cmdline', { cmdline: TRIAL }, false, /STILL THE OLD/],
  ['cmdline', { cmdline: TRIAL }, true, /being taken back/],
])('at %s, having seen %j (undoing: %s), says what a power cycle boots', (...row) => {
  const [step, evidence, undoing, meaning] = row;
  const status = sampleHost();
  const run = { ...status.run, step, evidence, undoing, undo: [{ change: CHANGE }] };
  const text = renderHost(
    {
      status: { ...status, step, run },
      rolloutName: 'enable-iommu',
      width: 200,
      now: new Date('2026-11-22T02:51:00Z'),
    },
    createStyle(false),
  );
  expect(/MEANS .*/.exec(text)?.[0]).toMatch(meaning);
});
