import { HOST_STATES } from '../../domain/host-run.ts';
import type { RolloutHostStatus, RolloutStatus, WaveStatus } from '../../domain/status.ts';
import { count } from './count.ts';
import type { Style } from './style.ts';
import { localTimes } from './time.ts';

/** Most hosts of one state named one by one in one moment; more are counted, so that a log of 10,000 hosts stays readable. */
const NAMED_MAX = 12;

const WAVE_WORDS: Readonly<Record<WaveStatus['phase'], string>> = {
  pending: 'waits',
  running: 'is under way',
  baking: 'bakes',
  'awaiting-promotion': 'waits for a person',
  ended: 'is over',
};

/** A wave is over when none of its hosts is queued or running: those that are held still wait. */
function waveWords({ phase, counts }: WaveStatus): string {
  const held = phase === 'ended' ? (counts.held ?? 0) : 0;
  return `${WAVE_WORDS[phase]}${held === 0 ? '' : ` but for ${held} held`}`;
}

/** What happened between two answers, one line each, in the order people care: the rollout, waves, then hosts. */
export function eventsBetween(
  before: RolloutStatus | undefined,
  after: RolloutStatus,
  style: Style,
): string[] {
  const lines: string[] = [];
  if (before?.phase !== after.phase) {
    const phase = after.phase.replaceAll('-', ' ');
    lines.push(
      `${style.strong(after.id)} is ${phase}: ${localTimes(after.explanation, new Date())}`,
    );
  }
  after.waves.forEach((wave, at) => {
    const was = before?.waves[at]?.phase ?? 'pending';
    if (wave.phase !== was) {
      const name = `${style.strong(wave.name)} (${count(wave.hosts, 'host')})`;
      lines.push(`wave ${name} ${waveWords(wave)}`);
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
  return HOST_STATES.flatMap((state) => {
    const hosts = changed.filter((host) => host.state === state);
    // A hold is always named: somebody has to go there.
    if (hosts.length > NAMED_MAX && state !== 'held') return [`${hosts.length} hosts ${state}`];
    return hosts.map((host) => hostEvent(host, style));
  });
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
