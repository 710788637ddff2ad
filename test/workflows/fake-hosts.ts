import { ApplicationFailure } from '@temporalio/common';
import type { HostActivities, StepOutcome, UndoOutcome } from '../../src/domain/activities.ts';
import type {
  AttachChange,
  BindChange,
  Change,
  CmdlineChange,
  HostPlan,
  ModulesChange,
  VfsChange,
} from '../../src/domain/changes.ts';
import { rebootsOf } from '../../src/domain/changes.ts';
import type { HostRunResult } from '../../src/domain/host-run.ts';

/** What every fake host needs: one change of its kernel line. */
export const CHANGE: CmdlineChange = {
  kind: 'cmdline',
  loader: 'grub-debian',
  add: ['intel_iommu=on', 'iommu=pt'],
  drop: [],
  before: ['root=/dev/vda1', 'quiet'],
  after: ['root=/dev/vda1', 'quiet', 'intel_iommu=on', 'iommu=pt'],
  dropIn: {
    before: null,
    after: 'GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX intel_iommu=on iommu=pt"\n',
  },
  createsFolder: false,
};

export const MODULES: ModulesChange = {
  kind: 'modules',
  files: [{ path: '/etc/modprobe.d/vfleet.conf', before: null, after: 'blacklist nouveau\n' }],
  initramfs: true,
};

export const VFS: VfsChange = {
  kind: 'vfs',
  pf: '0000:3b:00.1',
  netdev: 'ens1f1',
  before: { count: 0, autoprobe: true, mtu: 1500, vfs: [] },
  after: {
    count: 1,
    autoprobe: false,
    mtu: null,
    vfs: [{ driver: 'vfio-pci', override: 'vfio-pci' }],
  },
  files: [],
};

export const BIND: BindChange = {
  kind: 'bind',
  address: '0000:65:00.0',
  modalias: null,
  before: { driver: 'nouveau', override: null },
  after: { driver: 'vfio-pci', override: 'vfio-pci' },
  by: 'override',
  files: [],
};

export const ATTACH: AttachChange = {
  kind: 'attach',
  domain: 'edge-gw',
  devices: [{ pf: '0000:3b:00.1', vf: 0 }],
  managed: false,
  confined: 'recorded',
  pins: null,
};

/** The plan of a host that needs these changes. */
export function planOf(changes: readonly Change[]): Extract<HostPlan, { kind: 'changes' }> {
  return { ...PLAN, changes, reboots: rebootsOf(changes) };
}

/** The plan of a host that has not been changed yet. */
export const PLAN: Extract<HostPlan, { kind: 'changes' }> = {
  kind: 'changes',
  changes: [CHANGE],
  reboots: 1,
  digest: 'digest-A',
  hardware: 'Intel, Debian 12',
  warnings: [],
  bootId: 'boot-0',
  machineId: 'machine',
};

type Name = keyof HostActivities;
type Behaviour = () => unknown;

/** One host: a boot loader with a default and a trial entry, a lease, and a list of what was done to it. */
export class FakeHost {
  readonly name: string;
  readonly calls: Name[] = [];
  /** Kinds of the changes that were applied by `applyDevices`, and of all that were taken back, in order. */
  readonly applied: Change['kind'][] = [];
  readonly undone: Change['kind'][] = [];
  /** Numbers of the mutations, in order. */
  readonly seqs: number[] = [];
  lease: string | undefined;
  boots = 0;
  trial = false;
  armed = false;
  changed = false;
  running: 'old' | 'trial' | 'new' = 'old';
  outcome: HostRunResult['state'] | 'unchanged' | undefined;
  readonly #scripts = new Map<Name, Behaviour[]>();

  constructor(name: string) {
    this.name = name;
  }

  /** What the next calls of an activity do instead, one each. */
  script(name: Name, ...behaviours: Behaviour[]): this {
    this.#scripts.set(name, [...(this.#scripts.get(name) ?? []), ...behaviours]);
    return this;
  }

  /** Every call of an activity does this instead, until `heal`. */
  always(name: Name, behaviour: Behaviour): this {
    return this.script(name, ...Array.from({ length: 1_000 }, () => behaviour));
  }

  heal(): void {
    this.#scripts.clear();
  }

  get bootId(): string {
    return `boot-${this.boots}`;
  }

  scripted(name: Name): { readonly answer: unknown } | undefined {
    const behaviour = this.#scripts.get(name)?.shift();
    return behaviour === undefined ? undefined : { answer: behaviour() };
  }

  boot(): void {
    this.boots += 1;
    this.running = this.armed ? 'trial' : this.changed ? 'new' : 'old';
    this.armed = false;
  }
}

/** A hold as a step answers it. */
export const held =
  (code: string): Behaviour =>
  () =>
    ({ kind: 'hold', code, sentence: `held as ${code}`, evidence: {} }) satisfies StepOutcome;

/** A failure as the boundary makes it. */
export const fails =
  (code: string, nonRetryable = true): Behaviour =>
  () => {
    throw ApplicationFailure.create({ type: code, message: `failed as ${code}`, nonRetryable });
  };

const ok = (evidence: Record<string, string> = {}): StepOutcome => ({ kind: 'ok', evidence });

/** Fake hosts by name, made when they are first asked for, with the activities that act on them. */
export class FakeWorld {
  readonly hosts = new Map<string, FakeHost>();

  host(name: string): FakeHost {
    const known = this.hosts.get(name);
    if (known !== undefined) return known;
    const host = new FakeHost(name);
    this.hosts.set(name, host);
    return host;
  }

  /** The activities that a worker is given: recorded, then as scripted or as a well-behaved host would. */
  activities(): HostActivities {
    const plain = this.#wellBehaved();
    const recorded = (Object.keys(plain) as Name[]).map((name) => {
      const act = (input: never): Promise<unknown> => plain[name](input);
      return [name, this.#recorded(name, act)] as const;
    });
    return Object.fromEntries(recorded) as unknown as HostActivities;
  }

  #recorded(name: Name, act: (input: never) => Promise<unknown>) {
    return async (input: { connection: { name: string }; seq?: number }) => {
      const host = this.host(input.connection.name);
      host.calls.push(name);
      if (input.seq !== undefined) host.seqs.push(input.seq);
      const scripted = host.scripted(name);
      return await (scripted === undefined ? act(input as never) : scripted.answer);
    };
  }

  #wellBehaved(): HostActivities {
    const at = (input: { readonly connection: { readonly name: string } }) =>
      this.host(input.connection.name);
    const done = (evidence?: Record<string, string>) => Promise.resolve(ok(evidence));
    return {
      inspect: (input) => Promise.resolve(inspect(at(input), input.direction)),
      begin: (input) => {
        at(input).lease ??= input.lease;
        return Promise.resolve(
          at(input).lease === input.lease ? ok() : (held('host.busy')() as StepOutcome),
        );
      },
      checkGuests: () => done(),
      hook: () => done(),
      applyCmdline: (input) => {
        at(input).trial = true;
        return done({ entry: 'vfleet-trial' });
      },
      applyDevices: (input) => {
        at(input).applied.push(...input.changes.map(({ kind }) => kind));
        return done({ [input.step]: String(input.changes.length) });
      },
      deviceHealth: () => done({ devices: 'as before' }),
      reboot: (input) => {
        const host = at(input);
        if (host.bootId !== input.bootIdBefore) return done({ reboot: 'has happened already' });
        host.armed = input.trial;
        host.boot();
        return done({ reboot: 'told to reboot' });
      },
      awaitReboot: (input) => {
        const host = at(input);
        if (host.bootId === input.bootIdBefore)
          return Promise.resolve().then(fails('reboot.not-back-yet', false)) as never;
        return Promise.resolve({ bootId: host.bootId });
      },
      probeBoot: (input) => {
        const { bootId } = at(input);
        return Promise.resolve(
          bootId === input.bootIdBefore ? { kind: 'same-boot' } : { kind: 'back', bootId },
        );
      },
      verifyBoot: (input) => {
        const expected = { trial: 'trial', before: 'old' }[input.expect];
        return Promise.resolve(
          at(input).running === expected ? ok() : (held('reboot.trial-failed')() as StepOutcome),
        );
      },
      proveIommu: () => done({ units: 'dmar0' }),
      makeDefault: (input) => {
        Object.assign(at(input), { changed: true, trial: false });
        return done();
      },
      undo: (input) => Promise.resolve(undo(at(input), input.changes)),
      finish: (input) => {
        Object.assign(at(input), { lease: undefined, outcome: input.outcome });
        return done();
      },
    };
  }
}

function undo(host: FakeHost, changes: readonly Change[]): UndoOutcome {
  host.undone.push(...changes.map(({ kind }) => kind));
  const isLine = changes.some(({ kind }) => kind === 'cmdline');
  const reboot = isLine && host.running !== 'old' ? 'needed' : 'not needed';
  if (isLine) Object.assign(host, { changed: false, trial: false });
  return { tried: changes.length, failures: [], evidence: { reboot } };
}

/** What an undo answers of which these changes, by index, could not be taken back. */
export const undoFails =
  (code: string, tried = 1, indices: readonly number[] = [0]): Behaviour =>
  () => ({
    tried,
    failures: indices.map((index) => ({ index, code, sentence: `held as ${code}` })),
    evidence: { reboot: 'not needed' },
  });

function inspect(host: FakeHost, direction: 'forward' | 'rollback'): HostPlan {
  const plan = { ...PLAN, bootId: host.bootId };
  const done = direction === 'forward' ? host.changed : !host.changed;
  return done ? { kind: 'compliant', evidence: { units: 'dmar0' } } : plan;
}
