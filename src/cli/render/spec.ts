import { duration } from '../../domain/duration.ts';
import type { Spec, Target, WaveSpec } from '../../domain/spec.ts';
import { targetWarnings } from '../../domain/target-warnings.ts';
import { sectionsText, warningLines } from './lines.ts';
import { deviceRows } from './spec-devices.ts';
import { columns, type Style } from './style.ts';

/** What a spec asks for, with its defaults filled in, in `width` columns. */
export function renderSpec(spec: Spec, style: Style, width: number): string {
  const { limits, reboot, hooks, target } = spec;
  const hookNames = (['drain', 'undrain', 'health'] as const).filter(
    (name) => hooks[name] !== undefined,
  );
  const rows = columns([
    ['spec', spec.name],
    ['hosts', spec.hosts.select],
    ...lineRows(target),
    ...deviceRows(target),
    ['waves', spec.waves.map(waveText).join(', then ')],
    [
      'limits',
      `${limits.parallel} at once, ${shareText(limits.maxUnavailable)} unavailable, ${shareText(limits.maxFailures)} failures`,
    ],
    ['hooks', hookNames.join(' ') || 'none: running guests hold a host'],
    ['reboot', `on trial, back within ${duration(reboot.timeoutMs)}`],
  ]);
  return sectionsText([rows, warningLines(targetWarnings(target), style)], width);
}

/** What it asks of the kernel line; nothing of a target for devices only. */
function lineRows({ iommu, hostDma, kernelArgs }: Target): string[][] {
  const text = [
    ...(iommu === undefined ? [] : [`IOMMU ${iommu}`]),
    ...(hostDma === undefined ? [] : [`host DMA ${hostDma}`]),
    ...kernelArgs.present.map((arg) => `+${arg}`),
    ...kernelArgs.absent.map((arg) => `-${arg}`),
  ].join(', ');
  return text === '' ? [] : [['target', text]];
}

function waveText(wave: WaveSpec): string {
  const { size } = wave;
  const amount =
    size.kind === 'upTo'
      ? `up to ${shareText(size.share)}`
      : `${size.hosts}${size.each === null ? '' : ` of each ${size.each}`}`;
  const bake = wave.bakeMs === 0 ? '' : `, bake ${duration(wave.bakeMs)}`;
  return `${wave.name} (${amount}${bake}${wave.promote === 'manual' ? ', a person promotes' : ''})`;
}

function shareText(share: Spec['limits']['maxFailures']): string {
  return share.kind === 'count' ? String(share.count) : `${share.percent} %`;
}
