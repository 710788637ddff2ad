import type { Step } from '../../../src/domain/host-run.ts';
import type { Spec } from '../../../src/domain/spec.ts';
import type { PlannedHost, RolloutInput, RolloutStatus } from '../../../src/domain/status.ts';
import { Driver, type Ask } from '../../domain/rollout/driver.ts';
import { SPEC } from './samples.ts';

const MINUTE = 60_000;

/** 400 hosts of two kinds: 386 with changes, 9 that comply, 3 blocked, 2 unreachable. */
function fleet(changing: number): readonly PlannedHost[] {
  const host = (number: number, rest: Omit<PlannedHost, 'connection'>): PlannedHost => ({
    connection: {
      name: `hv-a-${String(number).padStart(3, '0')}`,
      address: '10.1.7.21',
      port: 22,
      user: 'admin',
    },
    ...rest,
  });
  const from = (at: number, count: number, rest: Omit<PlannedHost, 'connection'>) =>
    Array.from({ length: count }, (_, index) => host(at + index, rest));
  const kindA = Math.round(changing * 0.8);
  return [
    ...from(1, kindA, { planned: 'changes', kind: 'A' }),
    ...from(kindA + 1, changing - kindA, { planned: 'changes', kind: 'B' }),
    ...from(changing + 1, 9, { planned: 'compliant', kind: '' }),
    ...from(changing + 10, 3, { planned: 'blocked', kind: '', code: 'firmware.no-dmar' }),
    ...from(changing + 13, 2, { planned: 'unreachable', kind: '', code: 'ssh.timeout' }),
  ];
}

/** A rollout played on the real state machine, with a clock. */
export class Scene extends Driver {
  constructor(
    changing = 386,
    spec: Partial<Spec> = {},
    direction: RolloutInput['direction'] = 'forward',
  ) {
    const input: RolloutInput = {
      id: 'enable-iommu#3',
      direction,
      spec: { ...SPEC, ...spec },
      planId: '7f3a91',
      who: 'ops1@bastion',
      hosts: fleet(changing),
    };
    super(input);
  }

  /** Lets the hosts that may start do so and come to their end, each in `minutes`; those that began at the same time. */
  round(minutes = 6): void {
    const started = this.step();
    this.pass(minutes * MINUTE);
    for (const index of started) this.report(index, 'done', { rebootMs: 4 * MINUTE });
  }

  /** Through the canary and its bake to where a person is asked. */
  canary(): this {
    this.round();
    this.pass(30 * MINUTE);
    return this;
  }

  /** In the last wave, with `rounds` of it done. */
  inFleet(rounds: number): this {
    this.canary();
    this.ask({ verb: 'promote', reason: 'canary looks well' });
    while (this.status().phase === 'running' && this.state.wave === 1) this.round();
    this.pass(10 * MINUTE);
    for (let round = 0; round < rounds; round++) this.round();
    return this;
  }

  hold(index: number, code: string, step: Step, unavailable = true): void {
    this.report(index, 'held', { code, step, unavailable });
  }

  /** A verb that must be taken. */
  ask(verb: Ask): void {
    const refused = this.verb(verb);
    if (refused !== undefined) throw new Error(refused);
  }

  /** Two hosts held 18 and 12 minutes ago, and the others of the round at some step each. */
  twoHolds(): this {
    const [first = 0, second = 0, ...rest] = this.step();
    this.pass(20 * MINUTE);
    this.hold(first, 'reboot.no-return', 'wait');
    this.pass(6 * MINUTE);
    this.hold(second, 'iommu.wrong-type', 'iommu');
    this.pass(12 * MINUTE);
    const steps: readonly (Step | undefined)[] = [
      undefined,
      'cmdline',
      'reboot',
      'reboot',
      'iommu',
    ];
    rest.forEach((index, at) => {
      const step = steps[at % steps.length];
      if (step !== undefined) this.report(index, 'running', { step, unavailable: true });
    });
    return this;
  }

  /** The status as a person sees it, with the same clock wherever the test runs. */
  seen(): { readonly status: RolloutStatus; readonly now: Date } {
    return {
      status: onLocalClock(this.status()),
      now: new Date(onLocalClock(new Date(this.now).toISOString())),
    };
  }
}

/** Each moment with its UTC digits read as local ones. */
export function onLocalClock<T>(value: T): T {
  const text = JSON.stringify(value).replaceAll(
    /(\d{4}-\d\d-\d\dT[\d:.]+)Z/g,
    (_, digits: string) => new Date(digits).toISOString(),
  );
  return JSON.parse(text) as T;
}
