import { duration } from '../../domain/duration.ts';
import type { Spec, Target, WaveSpec } from '../../domain/spec.ts';
import { columns } from './style.ts';

/** What a spec asks for, with its defaults filled in. */
export function renderSpec(spec: Spec): string {
  const { limits, reboot, hooks } = spec;
  const hookNames = (['drain', 'undrain', 'health'] as const).filter(
    (name) => hooks[name] !== undefined,
  );
  return columns([
    ['spec', spec.name],
    ['hosts', spec.hosts.select],
    ['target', targetText(spec.target)],
    ['waves', spec.waves.map(waveText).join(', then ')],
    [
      'limits',
      `${limits.parallel} at once, ${shareText(limits.maxUnavailable)} unavailable, ${shareText(limits.maxFailures)} failures`,
    ],
    ['hooks', hookNames.join(' ') || 'none: running guests hold a host'],
    ['reboot', `on trial, back within ${duration(reboot.timeoutMs)}`],
  ]).join('\n');
}

function targetText(target: Target): string {
  const { iommu, hostDma, kernelArgs } = target;
  return [
    ...(iommu === undefined ? [] : [`IOMMU ${iommu}`]),
    ...(hostDma === undefined ? [] : [`host DMA ${hostDma}`]),
    ...kernelArgs.present.map((arg) => `+${arg}`),
    ...kernelArgs.absent.map((arg) => `-${arg}`),
  ].join(', ');
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
