import type { StepOutcome } from '../../../src/domain/activities.ts';
import type { DeviceFacts, PciFunction } from '../../../src/domain/device-facts.ts';
import { HOST_DEADLINE_MS } from '../../../src/domain/deadlines.ts';
import { leavesTheGroup } from '../../../src/domain/devices/groups.ts';
import type { HostPort, RunOutcome } from '../../../src/host/port.ts';
import { guestWith } from './device-state.ts';
import type { DriverGoal } from './drivers.ts';
import { hasDriver } from './drivers.ts';
import { hold, tail } from '../outcomes.ts';

/** Whether bringing a function to its goal takes it from VFIO or gives it to a driver of the host's. */
export const leavesVfio = (found: DriverGoal, goal: DriverGoal): boolean =>
  !hasDriver(goal, found.driver) && (goal.driver === null || !leavesTheGroup(goal.driver));

/**
 * The hold for functions that are to leave VFIO while somebody uses their IOMMU group: a guest with any function of it, or
 * any process that has it open (DPDK, QEMU without libvirt). A driver of the host's is refused then, so that the function
 * would be left with none (since Linux 5.19: drivers/iommu/iommu.c, iommu_device_use_default_domain); before, the kernel
 * stopped in VFIO's group notifier (drivers/vfio/vfio.c, BUG_ON). `undefined`: nobody uses them. Who has them open is asked
 * afresh; not to be told that is a hold too (law 1). UNDO.txt has the same rule (src/facts/undo/functions.sh, users_of).
 */
export async function groupUseHold(
  port: HostPort,
  call: {
    readonly facts: DeviceFacts;
    readonly functions: readonly PciFunction[];
    readonly code: 'bind.used-by-guest' | 'vfs.used-by-guest';
  },
): Promise<StepOutcome | undefined> {
  const { facts, functions, code } = call;
  const groups = groupsOf(facts, functions);
  for (const { id, fn, members } of groups) {
    for (const member of members) {
      const guest = guestWith(facts, member);
      if (guest === undefined) continue;
      const with_ = member === fn ? member : `${member}, of IOMMU group ${id} as ${fn} is`;
      return hold(code, `guest ${guest.name} runs with ${with_}`, { guest: guest.name });
    }
  }
  return groups.length === 0 ? undefined : openHold(port, groups);
}

interface UsedGroup {
  readonly id: string;
  /** The first of the functions that is in it. */
  readonly fn: string;
  readonly members: readonly string[];
}

function groupsOf(facts: DeviceFacts, functions: readonly PciFunction[]): readonly UsedGroup[] {
  const members = new Map(facts.groups.map((group) => [group.id, group.members]));
  const found = new Map<string, UsedGroup>();
  for (const { address, group: id } of functions) {
    if (id === undefined || !/^[0-9]{1,9}$/.test(id) || found.has(id)) continue;
    found.set(id, { id, fn: address, members: members.get(id) ?? [address] });
  }
  return [...found.values()];
}

/** Most nodes that one command looks for. */
const NODES_MAX = 200;

async function openHold(
  port: HostPort,
  groups: readonly UsedGroup[],
): Promise<StepOutcome | undefined> {
  const names = await deviceNodes(port);
  const nodes = groups.flatMap(({ id, fn, members }) => [
    { node: `/dev/vfio/${id}`, fn },
    ...members.flatMap((member) =>
      (names.get(member) ?? []).map((name) => ({ node: `/dev/vfio/devices/${name}`, fn })),
    ),
  ]);
  for (let at = 0; at < nodes.length; at += NODES_MAX) {
    const problem = await openOne(port, nodes.slice(at, at + NODES_MAX));
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** The nodes of single functions, which iommufd has beside those of groups (kernel, driver-api/vfio.rst), by address. */
async function deviceNodes(port: HostPort): Promise<ReadonlyMap<string, readonly string[]>> {
  const entries = [{ kind: 'list', glob: '/sys/bus/pci/devices/*/vfio-dev' }] as const;
  const { dirs } = await port.read({ entries, deadlineMs: HOST_DEADLINE_MS.read });
  return new Map(
    [...dirs].map(([path, names]) => [
      path.split('/').at(-2) ?? '',
      names.filter((name) => /^vfio[0-9]{1,9}$/.test(name)),
    ]),
  );
}

/** Nothing but the open files of processes is looked at: the rest of /proc is large. */
const OPEN_FILES = '/proc/[0-9]*/fd/*';

/** What find is told: to say first that it looks at all, then the first node that is open, and then to stop. */
const findArgv = (nodes: readonly string[]): [string, ...string[]] => [
  ...(['find', '/proc', '-maxdepth', '3', '-path', '/proc', '-printf', 'looked\\n'] as const),
  ...['-o', '-path', OPEN_FILES, '('],
  ...nodes.flatMap((node, at) => [...(at === 0 ? [] : ['-o']), '-lname', node]),
  ...[')', '-printf', '%l %p\\n', '-quit'],
  ...['-o', '-path', '/proc/[0-9]*/fd', '-o', '-path', '/proc/[0-9]*/*', '-prune'],
  ...['-o', '-path', '/proc/[!0-9]*', '-prune'],
];

/** `NODE /proc/PID/fd/N`, as find prints it. */
const OPEN = /^(\/dev\/vfio\/[a-z0-9/]{1,40}) \/proc\/([0-9]{1,10})\/fd\/[0-9]{1,10}$/;

async function openOne(
  port: HostPort,
  nodes: readonly { readonly node: string; readonly fn: string }[],
): Promise<StepOutcome | undefined> {
  const argv = findArgv(nodes.map(({ node }) => node));
  const found = await port.run({ argv, deadlineMs: HOST_DEADLINE_MS.read });
  if (!hasLooked(found)) {
    const sentence = 'who has devices of VFIO open could not be found out, so no driver is changed';
    return hold('bind.in-use', sentence, { find: found.kind, stderr: tail(found.stderr) });
  }
  const open = found.stdout.split('\n', 2)[1] ?? '';
  return open === '' ? undefined : openedBy(open, nodes);
}

/** The hold for what find has printed of an open node; a host may print anything. */
function openedBy(
  line: string,
  nodes: readonly { readonly node: string; readonly fn: string }[],
): StepOutcome {
  const [, node = 'unknown', pid = 'unknown'] = OPEN.exec(line) ?? [];
  const fn = (nodes.find((it) => it.node === node) ?? nodes[0])?.fn ?? '';
  return hold('bind.in-use', `process ${pid} has the IOMMU group of ${fn} open`, {
    process: pid,
    open: node,
  });
}

/** Processes that end meanwhile make find exit with 1; one that knows no such test says nothing on its output. */
const hasLooked = ({ kind, code, stdout }: RunOutcome): boolean =>
  kind === 'exited' && code <= 1 && stdout.startsWith('looked\n');
