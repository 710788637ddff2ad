import type { CmdlineChange } from '../../../src/domain/changes.ts';
import type { HostConnection } from '../../../src/domain/host-entry.ts';
import { HOST_STATES } from '../../../src/domain/host-run.ts';
import { NOTHING_ASKED, type Spec } from '../../../src/domain/spec.ts';
import type { RolloutHostStatus, RolloutStatus, WaveStatus } from '../../../src/domain/status.ts';
import { groupKinds } from '../../../src/cli/plan/group-kinds.ts';
import { sealPlan, type PlanFile, type ProbedHost } from '../../../src/cli/plan/plan-file.ts';
import { createStyle } from '../../../src/cli/render/style.ts';

/** Text without colours, as a pipe gets it. */
export const plain = createStyle(false);

/** Every sample is looked at from here. Local time, since outputs are in the reader's own zone. */
export const NOW = new Date(2026, 10, 23, 2, 51, 0);

/** ISO 8601 of a local time on the night before NOW. */
export function at(hours: number, minutes: number, seconds = 0): string {
  const day = hours >= 12 ? 22 : 23;
  return new Date(2026, 10, day, hours, minutes, seconds).toISOString();
}

export const SPEC: Spec = {
  name: 'enable-iommu',
  owner: { team: 'netplat', contact: '#netplat', ticket: 'CHG-4711' },
  hosts: { inventory: { path: 'inventory/' }, select: 'hypervisors:!retired' },
  target: {
    ...NOTHING_ASKED,
    iommu: 'enabled',
    hostDma: 'passthrough',
    kernelArgs: { present: ['pci=realloc'], absent: ['quiet'] },
  },
  waves: [
    {
      name: 'canary',
      size: { kind: 'add', hosts: 1, each: 'kind' },
      maxFailures: { kind: 'count', count: 0 },
      bakeMs: 1_800_000,
      promote: 'manual',
    },
    {
      name: 'early',
      size: { kind: 'upTo', share: { kind: 'percent', percent: 10 } },
      bakeMs: 600_000,
      promote: 'auto',
    },
    {
      name: 'fleet',
      size: { kind: 'upTo', share: { kind: 'percent', percent: 100 } },
      bakeMs: 0,
      promote: 'auto',
    },
  ],
  limits: {
    parallel: 20,
    maxUnavailable: { kind: 'percent', percent: 5 },
    maxFailures: { kind: 'percent', percent: 2 },
  },
  hooks: { drain: { on: 'worker', run: ['drain'], timeoutMs: 1_800_000 } },
  reboot: { timeoutMs: 1_200_000 },
  onHostFailure: 'hold',
  onBudgetSpent: 'pause',
};

export function connection(name: string): HostConnection {
  return { name, address: '10.1.7.21', port: 22, user: 'admin' };
}

export function cmdlineChange(add: readonly string[], drop: readonly string[] = []): CmdlineChange {
  return {
    kind: 'cmdline',
    loader: 'grub-debian',
    add,
    drop,
    before: ['root=UUID=1', 'ro', ...drop],
    after: ['root=UUID=1', 'ro', ...add],
    dropIn: { before: null, after: '# vfleet\n' },
    createsFolder: false,
  };
}

function changing(name: string, hardware: string, add: readonly string[]): ProbedHost {
  return {
    connection: connection(name),
    guests: [],
    left: [
      ...(hardware.startsWith('AMD')
        ? ['AMD-Vi is on by itself: no argument is added for it']
        : []),
      ...(name < 'hv-004' ? ['hugepages=32: not asked for, stays as it is'] : []),
      'the rest of the line stays: root ro',
    ],
    plan: {
      kind: 'changes',
      changes: [cmdlineChange(add, ['quiet'])],
      reboots: 1,
      digest: `digest of ${name}`,
      hardware,
      warnings: hardware.startsWith('AMD') ? ['a crash kernel is loaded'] : [],
      bootId: 'b',
      machineId: 'm',
    },
  };
}

function many<T>(count: number, make: (name: string) => T, from = 1): T[] {
  return Array.from({ length: count }, (_, index) =>
    make(`hv-${String(from + index).padStart(3, '0')}`),
  );
}

/** 60 hosts: 40 of one kind, 14 of another, 3 that comply, 2 blocked, 1 unreachable. */
export function samplePlan(): PlanFile {
  const blocked = (name: string): ProbedHost => ({
    connection: connection(name),
    guests: [],
    left: [],
    plan: {
      kind: 'blocked',
      code: 'firmware.no-dmar',
      sentence: 'firmware has no DMAR table: turn on VT-d in setup',
    },
  });
  const intel = ['intel_iommu=on', 'iommu=pt', 'pci=realloc'];
  const probed: ProbedHost[] = [
    ...many(40, (name) => changing(name, 'Intel, Debian 12, kernel 6.1.0-56-amd64', intel)),
    ...many(
      14,
      (name) => changing(name, 'AMD, Ubuntu 24.04, kernel 6.8.0-49-generic', intel.slice(1)),
      41,
    ),
    ...many(
      3,
      (name) => ({
        connection: connection(name),
        guests: [],
        left: [],
        plan: { kind: 'compliant', evidence: {} } as const,
      }),
      55,
    ),
    ...many(2, blocked, 58),
    {
      connection: connection('hv-060'),
      guests: [],
      left: [],
      plan: { kind: 'unreachable', code: 'ssh.timeout', sentence: 'hv-060: no answer within 10 s' },
    },
  ];
  return sealPlan({
    madeAt: at(1, 0),
    probeMs: 41_000,
    specFile: 'enable-iommu.yaml',
    spec: SPEC,
    hosts: groupKinds(probed).hosts,
  });
}

function counts(hosts: readonly RolloutHostStatus[]): RolloutStatus['counts'] {
  const zero = Object.fromEntries(HOST_STATES.map((state) => [state, 0]));
  for (const { state } of hosts) zero[state] = (zero[state] ?? 0) + 1;
  return zero as RolloutStatus['counts'];
}

function wave(
  hosts: readonly RolloutHostStatus[],
  index: number,
  rest: Omit<WaveStatus, 'hosts' | 'counts'>,
): WaveStatus {
  const mine = hosts.filter((host) => host.wave === index);
  return { hosts: mine.length, counts: counts(mine), ...rest };
}

/** A rollout in the middle of its last wave with two holds, unless told otherwise. */
export function sampleStatus(change: Partial<RolloutStatus> = {}): RolloutStatus {
  const host = (name: string, rest: Partial<RolloutHostStatus>): RolloutHostStatus => ({
    name,
    state: 'done',
    wave: 2,
    kind: 'A',
    ...rest,
  });
  const hosts =
    change.hosts ??
    [
      host('hv-001', { wave: 0 }),
      host('hv-041', { wave: 0, kind: 'B' }),
      ...many(3, (name) => host(name, { wave: 1 }), 2),
      host('hv-118', { state: 'held', step: 'wait', code: 'reboot.no-return', since: at(2, 33) }),
      host('hv-233', { state: 'held', step: 'iommu', code: 'iommu.not-active', since: at(2, 39) }),
      host('hv-010', { state: 'running', step: 'reboot', since: at(2, 50) }),
      host('hv-011', { state: 'running', step: 'wait', since: at(2, 49) }),
      host('hv-012', { state: 'running', step: 'wait', since: at(2, 48, 20) }),
      ...many(30, (name) => host(name, { state: 'queued' }), 300),
      host('hv-058', { state: 'blocked', code: 'firmware.no-dmar', kind: '' }),
      host('hv-060', { state: 'unreachable', code: 'ssh.timeout', kind: '' }),
    ].map((one) =>
      one.state === 'blocked' || one.state === 'unreachable' ? withoutWave(one) : one,
    );
  return {
    id: 'enable-iommu#3',
    direction: 'forward',
    phase: 'running',
    explanation: 'the other hosts go on; it pauses itself at the 3rd failure',
    owner: SPEC.owner,
    planId: '7f3a91',
    startedBy: 'ops1@bastion (unverified)',
    startedAt: at(22, 4),
    waves: [
      wave(hosts, 0, { name: 'canary', phase: 'ended', promote: 'manual' }),
      wave(hosts, 1, { name: 'early', phase: 'ended', promote: 'auto' }),
      wave(hosts, 2, { name: 'fleet', phase: 'running', promote: 'auto' }),
    ],
    counts: counts(hosts),
    budget: { failures: 2, failuresMax: 2, unavailable: 6, unavailableMax: 6 },
    hosts,
    verbs: ['pause', 'abort', 'retry', 'rollback', 'skip'],
    audit: [
      {
        at: at(23, 18),
        verb: 'promote',
        who: 'ops1@bastion (unverified)',
        hosts: 0,
        reason: 'looks well',
      },
    ],
    ...change,
  };
}

function withoutWave(host: RolloutHostStatus): RolloutHostStatus {
  const { name, state, kind, code } = host;
  return { name, state, kind, ...(code === undefined ? {} : { code }) };
}
