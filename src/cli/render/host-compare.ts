import { duration } from '../../domain/duration.ts';
import { median } from '../../domain/median.ts';
import type { RolloutHostStatus } from '../../domain/status.ts';
import type { HostView } from './host.ts';
import { withLabel } from './lines.ts';
import { count } from './count.ts';

/** Most hosts named that are held for the same. */
const NAMED_MAX = 4;

/** How the host compares with the others of its kind in this rollout; nothing while there is nothing to compare with. */
export function compareLines(view: HostView): string[] {
  const { row, rollout } = view;
  if (row === undefined || rollout === undefined || row.kind === '') return [];
  const others = rollout.hosts.filter((host) => host.kind === row.kind && host.name !== row.name);
  const sentences = [...timesOf(view, others, row.kind), ...sameHold(view, others, row.kind)];
  return sentences.length === 0 ? [] : [withLabel('COMPARE', sentences.join(' '))];
}

function timesOf(view: HostView, others: readonly RolloutHostStatus[], kind: string): string[] {
  const done = others.filter((host) => host.state === 'done');
  const isReboot = view.status.step === 'reboot' || view.status.step === 'wait';
  const times = done.flatMap((host) => (isReboot ? host.rebootMs : host.tookMs) ?? []);
  const middle = median(times);
  if (middle === undefined) return [];
  const slowest = Math.max(...times);
  const what = isReboot ? 'came back from their reboot' : 'were done';
  const waited = isReboot ? waitedMs(view) : 0;
  const verdict =
    waited > slowest ? ` This one was waited for ${duration(waited)}: it is no slow host.` : '';
  return [
    `${count(times.length, 'host')} of kind ${kind} ${what}: median ${duration(middle)}, slowest ${duration(slowest)}.${verdict}`,
  ];
}

/** How long a host that did not return was waited for, until it was held. */
function waitedMs({ status }: HostView): number {
  const { hold, stepsAt } = status;
  if (hold?.code !== 'reboot.no-return' || stepsAt.wait === undefined) return 0;
  return Date.parse(hold.since) - Date.parse(stepsAt.wait);
}

/** Others held for the same: then it is hardly this host's own fault. */
function sameHold(view: HostView, others: readonly RolloutHostStatus[], kind: string): string[] {
  const code = view.status.hold?.code;
  const same = others.filter((host) => host.state === 'held' && host.code === code);
  if (code === undefined || same.length === 0) return [];
  const names = same.slice(0, NAMED_MAX).map((host) => host.name);
  const more = same.length > NAMED_MAX ? ` and ${same.length - NAMED_MAX} more` : '';
  return [`Held for the same, of kind ${kind}: ${names.join(' ')}${more}.`];
}
