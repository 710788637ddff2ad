import type { RolloutHostStatus, RolloutStatus } from '../../domain/status.ts';
import { count } from './plan.ts';
import type { Style } from './style.ts';

/** Most hosts named one by one in one moment; more are counted, so that a log of 10,000 hosts stays readable. */
const NAMED_MAX = 24;

/** What happened between two answers, one line each, in the order people care: the rollout, waves, then hosts. */
export function eventsBetween(
  before: RolloutStatus | undefined,
  after: RolloutStatus,
  style: Style,
): string[] {
  const lines: string[] = [];
  if (before?.phase !== after.phase) {
    const phase = after.phase.replaceAll('-', ' ');
    lines.push(`${style.strong(after.id)} is ${phase}: ${after.explanation}`);
  }
  after.waves.forEach((wave, at) => {
    const was = before?.waves[at]?.phase ?? 'pending';
    if (wave.phase !== was) {
      lines.push(
        `wave ${style.strong(wave.name)} (${count(wave.hosts, 'host')}) is ${wave.phase.replaceAll('-', ' ')}`,
      );
    }
  });
  return [...lines, ...hostEvents(before, after, style)];
}

function hostEvents(
  before: RolloutStatus | undefined,
  after: RolloutStatus,
  style: Style,
): string[] {
  const states = new Map(before?.hosts.map((host) => [host.name, host.state]));
  const changed = after.hosts.filter(
    (host) => host.wave !== undefined && host.state !== (states.get(host.name) ?? 'queued'),
  );
  if (changed.length <= NAMED_MAX) return changed.map((host) => hostEvent(host, style));
  const tally = new Map<string, number>();
  for (const { state } of changed) tally.set(state, (tally.get(state) ?? 0) + 1);
  return [...tally].map(([state, hosts]) => `${count(hosts, 'host')} ${state}`);
}

function hostEvent(host: RolloutHostStatus, style: Style): string {
  const text = describeHost(host);
  if (host.state === 'running' || host.state === 'queued') return text;
  const good = host.state === 'done' || host.state === 'compliant';
  return good ? style.good(text) : style.warn(text);
}

function describeHost(host: RolloutHostStatus): string {
  const code = host.code === undefined ? '' : ` (${host.code})`;
  const at = host.state === 'held' && host.step !== undefined ? ` at ${host.step}` : '';
  return `${host.name} ${host.state}${at}${code}`;
}
