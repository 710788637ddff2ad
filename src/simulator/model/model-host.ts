import type { QueryAnswer, QueryName } from '../../facts/snapshot.ts';
import { bootLoader, type BootOutcome } from './boot.ts';
import { realClock, type Clock } from './clock.ts';
import { Disk } from './disk.ts';
import { Faults, type Fault, type FaultKind } from './faults.ts';
import type { FileTree } from './file-tree.ts';
import { HostDown } from './host-down.ts';
import { HostLock } from './host-lock.ts';
import { HostLog } from './host-log.ts';
import { Guests } from './guests/guests.ts';
import { ModelKernel } from './kernel/model-kernel.ts';
import type { Machine } from './machine.ts';
import { QUICK, type ModelHostOptions, type Timing } from './model-host-options.ts';
import type { Attribute } from './poke-files.ts';
import type { Program } from './programs/result.ts';
import { answerQuery } from './queries.ts';
import { Stall } from './stall.ts';
import { startKernel } from './start-kernel.ts';

/**
 * A host that exists in memory only: files, and a kernel and boot loader that react to what is done to them. It is
 * what the in-memory host and the simulated fleet act on.
 */
export class ModelHost {
  readonly name: string;
  readonly tree: FileTree;
  readonly log: HostLog;
  readonly lock: HostLock;
  readonly disk: Disk;
  readonly faults: Faults;
  readonly clock: Clock;
  readonly timing: Timing;
  readonly units: Map<string, 'active' | 'inactive' | 'failed'>;
  /** Kernel files that react to a write, by path; a test or a later release adds them. */
  readonly attributes = new Map<string, Attribute>();
  readonly programs: Map<string, Program>;
  /** Devices, modules, memory and udev. */
  readonly kernel: ModelKernel;
  /** libvirt's. */
  readonly guests: Guests;
  readonly complaints: string[] = [];
  /** What a login shell prints in front of every answer. */
  banner: Uint8Array = new Uint8Array();
  machine: Machine;
  /** Grows each time the host goes away. */
  generation = 0;
  private readonly options: ModelHostOptions;
  private readonly listeners = new Set<(power: 'up' | 'down') => void>();
  private readonly pending = new Set<() => void>();
  private readonly waiters = new Set<(error: HostDown) => void>();
  private readonly stalls: Stall[] = [];
  private isUp = true;
  private boots = 0;
  private disposed = false;

  constructor(options: ModelHostOptions) {
    this.options = options;
    this.name = options.name;
    this.tree = options.tree;
    this.machine = options.machine;
    this.clock = options.clock ?? realClock;
    this.timing = { ...QUICK, ...options.timing };
    this.faults = new Faults(options.faults ?? []);
    this.log = new HostLog(() => this.clock.now());
    this.lock = new HostLock(this.clock);
    this.disk = new Disk(this.tree, this.faults);
    this.units = new Map(Object.entries({ ssh: 'active', libvirtd: 'active', ...options.units }));
    this.programs = new Map(options.programs);
    this.kernel = new ModelKernel({
      tree: this.tree,
      faults: this.faults,
      machine: () => this.machine,
      complain: (message) => this.complain(message),
      requested: (fn) => this.guests.requested(fn),
    });
    this.guests = new Guests({
      tree: this.tree,
      faults: this.faults,
      kernel: this.kernel,
      interruptRemapping: () => this.machine.interruptRemapping,
    });
    this.startDevices();
  }

  /** How many CPUs it has. */
  get cpus(): number {
    return this.machine.cpus;
  }

  /** Whether it answers. */
  get up(): boolean {
    return this.isUp;
  }

  /** @throws HostDown */
  mustBeUp(): void {
    if (!this.isUp) throw new HostDown();
  }

  /** Waits on the host: ends with HostDown when it goes away meanwhile. */
  wait(ms: number): Promise<void> {
    this.mustBeUp();
    return new Promise((resolve, reject) => {
      const lost = (error: HostDown): void => {
        cancel();
        reject(error);
      };
      this.waiters.add(lost);
      const cancel = this.clock.after(ms, () => {
        this.waiters.delete(lost);
        resolve();
      });
    });
  }

  /** Tells when the host goes away and when it answers again; the answer ends it. */
  onPower(listener: (power: 'up' | 'down') => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Stops the next command between its arrival and its beginning, as a host under load does. */
  stallNext(): Stall {
    const stall = new Stall();
    this.stalls.push(stall);
    return stall;
  }

  /** Lets a command begin; the answer is to be called when it has ended. */
  async enter(): Promise<() => void> {
    const stall = this.stalls.shift();
    if (stall === undefined) return () => undefined;
    await stall.pass();
    return () => stall.end();
  }

  /** Resolves when the host answers. One that never returns keeps it waiting. */
  whenUp(): Promise<void> {
    if (this.isUp) return Promise.resolve();
    return new Promise((resolve) => {
      const off = this.onPower((power) => {
        if (power === 'down') return;
        off();
        resolve();
      });
    });
  }

  /** Says that something was asked that the model does not know. */
  complain(message: string): void {
    this.complaints.push(message);
    this.options.complain?.(`${this.name}: ${message}`);
  }

  /** The answer of a fixed query. */
  answer(query: QueryName, connection: string | undefined): QueryAnswer | undefined {
    if (query === 'ssh-connection' && connection !== undefined)
      return { code: 0, output: connection };
    return this.options.queries?.get(query) ?? answerQuery(query, this, connection);
  }

  /** What `systemctl reboot` starts: the command itself still returns. */
  reboot(): void {
    this.log.add({ verb: 'kernel', what: 'reboot', effect: 'going down', changed: true });
    this.later(this.timing.shutdownMs, () => {
      this.goDown();
      if (this.faults.has('never-returns')) {
        this.log.add({ verb: 'kernel', what: 'reboot', effect: 'never returned', changed: true });
        return;
      }
      this.later(this.timing.rebootMs, () => this.boot());
    });
  }

  /** An out-of-band reset, like a BMC's: works in every state. Resolves when the host answers again, if it does. */
  powerCycle(): Promise<void> {
    this.log.add({ verb: 'operator', what: 'power cycle', effect: 'reset', changed: true });
    for (const cancel of this.pending) cancel();
    this.pending.clear();
    this.goDown();
    this.later(this.timing.rebootMs, () => this.boot());
    return this.whenUp();
  }

  /** Takes away the faults of one kind, or all. A host that is down stays so until its power cycle. */
  repair(kind?: FaultKind): void {
    this.log.add({
      verb: 'operator',
      what: 'repair',
      effect: kind ?? 'everything',
      changed: false,
    });
    if (kind === undefined || kind === 'firmware-off') {
      this.machine = { ...this.machine, iommuFirmware: true };
    }
    this.faults.remove(kind);
    this.kernel.bus.look();
    this.tell();
  }

  /** Breaks it in one more way, from now on. */
  addFault(fault: Fault): void {
    this.log.add({ verb: 'operator', what: 'fault', effect: fault.kind, changed: false });
    if (fault.kind === 'firmware-off') this.machine = { ...this.machine, iommuFirmware: false };
    this.faults.add(fault);
    this.kernel.bus.look();
    this.tell();
  }

  /** Ends all that is still to come; the host does nothing any more. */
  dispose(): void {
    this.disposed = true;
    for (const cancel of this.pending) cancel();
    this.pending.clear();
    for (const lost of this.waiters) lost(new HostDown());
    this.waiters.clear();
    this.listeners.clear();
  }

  private tell(): void {
    for (const listener of [...this.listeners]) listener(this.isUp ? 'up' : 'down');
  }

  private goDown(): void {
    this.isUp = false;
    this.generation += 1;
    this.kernel.stop();
    for (const lost of [...this.waiters]) lost(new HostDown());
    this.waiters.clear();
    this.tell();
  }

  /** One boot, from the firmware on. */
  private boot(): void {
    const trialPanics = this.faults.has('trial-panics');
    const outcome = bootLoader(
      this.tree,
      this.machine,
      (args) => trialPanics && args.some((arg) => arg.startsWith('vfleet.trial=')),
    );
    this.log.add({
      verb: 'kernel',
      what: outcome.kind === 'stuck' ? outcome.why : outcome.title,
      effect: outcome.kind,
      changed: true,
    });
    if (outcome.kind === 'up') this.comeUp(outcome);
    else if (outcome.kind === 'panic' && outcome.rebootAfterS !== undefined) {
      const waitMs = outcome.rebootAfterS * this.timing.panicSecondMs + this.timing.rebootMs;
      this.later(waitMs, () => this.boot());
    }
  }

  private comeUp({ words }: Extract<BootOutcome, { kind: 'up' }>): void {
    this.boots += 1;
    startKernel(this.tree, this.machine, {
      words,
      name: this.name,
      boot: this.boots,
      seed: this.options.seed ?? this.name,
    });
    this.startDevices();
    this.isUp = true;
    this.tell();
  }

  /** What the boot that runs now made of the devices, and the guests that start with the host. */
  private startDevices(): void {
    const line = (this.tree.text('/proc/cmdline') ?? '').trim().split(/\s+/);
    const release = (this.tree.text('/proc/sys/kernel/osrelease') ?? '').trim();
    this.kernel.start(line, release);
    this.guests.start();
  }

  private later(ms: number, action: () => void): void {
    if (this.disposed) return;
    const forget = (): void => void this.pending.delete(cancel);
    const cancel = this.clock.after(ms, () => {
      forget();
      action();
    });
    this.pending.add(cancel);
  }
}
