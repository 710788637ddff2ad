import type { StepOutcome } from '../../../src/domain/activities.ts';
import type { VfsState } from '../../../src/domain/changes.ts';
import { HOST_DEADLINE_MS } from '../../../src/domain/deadlines.ts';
import { settingWords } from '../../../src/domain/udev-files.ts';
import type { Guard, HostPort } from '../../../src/host/port.ts';
import { hold, runProblem } from '../outcomes.ts';
import type { LiveVf, LiveVfs } from './vfs-live.ts';
import { SETTINGS } from './vfs-live.ts';

interface SettingsCall {
  readonly guard: Guard;
  readonly goal: VfsState;
  readonly live: LiveVfs;
  /** The PF's interface when the plan was made; one that was rebound since may have another name. */
  readonly netdev: string | null;
}

/** The MTU of the PF's interface, which its VFs are bound by. */
export async function setMtu(port: HostPort, call: SettingsCall): Promise<StepOutcome | undefined> {
  const { goal, live } = call;
  if (goal.mtu === null || goal.mtu === live.mtu) return undefined;
  return ipLink(port, call, ['mtu', String(goal.mtu)]);
}

/** What the PF administers of each VF; only what is not as asked, one command for each VF. */
export async function setSettings(
  port: HostPort,
  call: SettingsCall,
): Promise<StepOutcome | undefined> {
  const { goal, live } = call;
  for (const [index, vf] of live.vfs.entries()) {
    const words = settingWords(missing(vf, goal.vfs[index] ?? {}));
    if (words.length === 0) continue;
    const problem = await ipLink(port, call, ['vf', String(index), ...words]);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** The settings that are asked and are otherwise, or not known. */
function missing(vf: LiveVf, goal: Partial<VfsState['vfs'][number]>) {
  const names = SETTINGS.filter(
    (name) => goal[name] !== undefined && goal[name] !== vf.settings[name],
  );
  return Object.fromEntries(names.map((name) => [name, goal[name]]));
}

/** A name of an interface as the kernel allows it, and that `ip` does not take for an option. */
const INTERFACE = /^[A-Za-z0-9_][A-Za-z0-9_.:@-]{0,14}$/;

async function ipLink(
  port: HostPort,
  { guard, live, netdev }: SettingsCall,
  words: readonly string[],
): Promise<StepOutcome | undefined> {
  const { net } = live.pf;
  // With switchdev a PF has interfaces of its VFs beside its own.
  const name = netdev !== null && net.includes(netdev) ? netdev : net[0];
  if (name === undefined || !INTERFACE.test(name)) {
    return hold(
      'vfs.no-interface',
      `${live.pf.address} has no network interface to set its VFs by`,
      {
        interfaces: net.join(' ') || 'none',
      },
    );
  }
  const argv: [string, ...string[]] = ['ip', 'link', 'set', 'dev', name, ...words];
  const outcome = await port.run({ guard, argv, deadlineMs: HOST_DEADLINE_MS.ip });
  return runProblem('vfs.setting-failed', argv.join(' '), outcome);
}
