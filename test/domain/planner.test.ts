import { describe, expect, it } from 'vitest';
import { debianChange } from '../support/debian-change.ts';
import type { GrubDebianChange } from '../../src/domain/changes.ts';
import { cmdlineOf } from '../../src/domain/changes.ts';
import { compact } from '../../src/domain/compact.ts';
import { EMPTY_DEVICES } from '../../src/domain/device-facts.ts';
import type { Facts, GrubDebianFacts } from '../../src/domain/facts.ts';
import { dropInText } from '../../src/domain/drop-in.ts';
import { planHost } from '../../src/domain/planner.ts';
import type { Target } from '../../src/domain/spec.ts';
import { NOTHING_ASKED } from '../../src/domain/spec.ts';

const BASE = ['root=UUID=58589ca0', 'ro', 'console=ttyS0'];
const passthrough: Target = { ...NOTHING_ASKED, iommu: 'enabled', hostDma: 'passthrough' };

function loader(args: readonly string[], over: Partial<GrubDebianFacts> = {}): GrubDebianFacts {
  return {
    supported: true,
    kind: 'grub-debian',
    defaultEntry: { title: 'Debian GNU/Linux', kernel: '/boot/vmlinuz-6.1.0-56-amd64', args },
    dropInFolder: true,
    oneShot: { safe: true },
    ...over,
  };
}

function host(args: readonly string[], over: Partial<Facts> = {}): Facts {
  return {
    hostname: 'hv1',
    machineId: '372606fc7a5c487588aad46cfe14e661',
    bootId: 'bb125078-dc56-4c19-8a00-20167914c78b',
    os: { id: 'debian', versionId: '12', prettyName: 'Debian GNU/Linux 12 (bookworm)' },
    kernelRelease: '6.1.0-56-amd64',
    runningArgs: args,
    cpu: { vendor: 'intel', virtualization: true },
    firmware: { dmar: true, ivrs: false },
    iommu: { units: [], groups: [], interruptRemapping: false },
    root: true,
    kvm: true,
    qemu: true,
    memTotalKiB: 1_000_000,
    runningGuests: [],
    crashKernel: false,
    bootLoader: loader(args),
    devices: EMPTY_DEVICES,
    ...over,
  };
}

const up = (type: string): Facts['iommu'] => ({
  units: ['dmar0'],
  groups: [
    { id: '0', type },
    { id: '1', type },
  ],
  interruptRemapping: true,
});

const change = (facts: Facts, target: Target): GrubDebianChange => {
  const plan = planHost(facts, target);
  if (plan.kind !== 'changes') throw new Error(`expected changes, got ${JSON.stringify(plan)}`);
  return debianChange(cmdlineOf(plan.changes));
};

describe('planHost: what is added', () => {
  it('adds both arguments on Intel and keeps the rest of the line', () => {
    const planned = change(host(BASE), passthrough);
    expect(planned.add).toEqual(['intel_iommu=on', 'iommu=pt']);
    expect(planned.before).toEqual(BASE);
    expect(planned.after).toEqual([...BASE, 'intel_iommu=on', 'iommu=pt']);
    expect(planned.dropIn.before).toBeNull();
  });

  it('adds only iommu=pt on AMD, where the IOMMU is on by itself', () => {
    const amd = host(BASE, {
      cpu: { vendor: 'amd', virtualization: true },
      firmware: { dmar: false, ivrs: true },
    });
    expect(change(amd, passthrough).add).toEqual(['iommu=pt']);
  });

  it('overrides an earlier off by a later on, since the later token wins', () => {
    const planned = change(host([...BASE, 'intel_iommu=off']), passthrough);
    expect(planned.after).toEqual([...BASE, 'intel_iommu=off', 'intel_iommu=on', 'iommu=pt']);
  });

  it('takes out what the spec wants absent', () => {
    const target = { ...passthrough, kernelArgs: { present: [], absent: ['intel_iommu=off'] } };
    const planned = change(host([...BASE, 'intel_iommu=off', 'quiet']), target);
    expect(planned.drop).toEqual(['intel_iommu=off']);
    expect(planned.after).toEqual([...BASE, 'quiet', 'intel_iommu=on', 'iommu=pt']);
  });

  it('adds nothing twice: the part that is there stays as it is', () => {
    const args = [...BASE, 'intel_iommu=on'];
    expect(change(host(args, { iommu: up('DMA') }), passthrough).add).toEqual(['iommu=pt']);
  });

  it('keeps what an earlier rollout put into the drop-in, and restores exactly that', () => {
    const earlier = dropInText({ add: ['pci=realloc'], drop: [] });
    const args = [...BASE, 'pci=realloc'];
    const facts = host(args, { bootLoader: loader(args, { dropIn: earlier }) });
    const planned = change(facts, passthrough);
    expect(planned.dropIn).toEqual({
      before: earlier,
      after: dropInText({ add: ['pci=realloc', 'intel_iommu=on', 'iommu=pt'], drop: [] }),
    });
  });
});

describe('planHost: a host that complies', () => {
  it('is left alone when line and kernel are as asked', () => {
    const facts = host([...BASE, 'intel_iommu=on', 'iommu=pt'], { iommu: up('identity') });
    expect(planHost(facts, passthrough).kind).toBe('compliant');
  });

  it('is left alone when the kernel has the IOMMU on by its own default', () => {
    const target: Target = { ...NOTHING_ASKED, iommu: 'enabled' };
    expect(planHost(host(BASE, { iommu: up('DMA-FQ') }), target).kind).toBe('compliant');
  });

  it('complies while it still runs the trial that proved the line', () => {
    const args = [...BASE, 'intel_iommu=on', 'iommu=pt'];
    const facts = host(args, {
      runningArgs: [...args, 'panic=30', 'oops=panic', 'vfleet.trial=t1'],
      iommu: up('identity'),
    });
    expect(planHost(facts, passthrough).kind).toBe('compliant');
  });

  it('does not comply by its running line alone: the next boot would lose it', () => {
    const facts = host([...BASE, 'intel_iommu=on', 'iommu=pt'], {
      iommu: up('identity'),
      bootLoader: loader(BASE),
    });
    expect(planHost(facts, passthrough)).toMatchObject({ code: 'cmdline.pending-differs' });
  });
});

describe('planHost: refused before anything is written', () => {
  const unsafe = loader(BASE, { oneShot: { safe: false, reason: '/boot/grub lies on lvm' } });
  const cases: readonly [string, string, Facts, Target?][] = [
    ['no root', 'host.no-sudo', host(BASE, { root: false })],
    ['an old kernel', 'kernel.too-old', host(BASE, { kernelRelease: '4.9.0-1' })],
    ['a kernel that does not say its version', 'kernel.too-old', host(BASE, { kernelRelease: '' })],
    [
      'VT-d off in firmware',
      'firmware.no-dmar',
      host(BASE, { firmware: { dmar: false, ivrs: false } }),
    ],
    [
      'AMD-Vi off in firmware',
      'firmware.no-ivrs',
      host(BASE, {
        cpu: { vendor: 'amd', virtualization: true },
        firmware: { dmar: false, ivrs: false },
      }),
    ],
    [
      'VMX off',
      'firmware.no-virtualization',
      host(BASE, { cpu: { vendor: 'intel', virtualization: false } }),
    ],
    ['no KVM', 'host.no-kvm', host(BASE, { kvm: false })],
    ['no QEMU', 'host.no-qemu', host(BASE, { qemu: false })],
    ['a full disk', 'host.no-space', host(BASE, { freeKiB: 12 })],
    [
      'a loader we cannot drive',
      'bootloader.unsupported',
      host(BASE, { bootLoader: { supported: false, reason: 'BLS' } }),
    ],
    [
      'a one-shot that would stick',
      'bootloader.one-shot-unsafe',
      host(BASE, { bootLoader: unsafe }),
    ],
    [
      "someone's one-shot",
      'bootloader.one-shot-pending',
      host(BASE, { bootLoader: loader(BASE, { nextEntry: 'memtest' }) }),
    ],
    [
      'an edit that was not booted',
      'cmdline.pending-differs',
      host(BASE, { bootLoader: loader([...BASE, 'quiet']) }),
    ],
    [
      'a new kernel that was not booted',
      'cmdline.pending-differs',
      host(BASE, { kernelRelease: '6.1.0-55-amd64' }),
    ],
    [
      'a foreign drop-in under our name',
      'cmdline.drop-in-foreign',
      host(BASE, { bootLoader: loader(BASE, { dropIn: 'X=1\n' }) }),
    ],
    [
      'a line that the kernel would cut',
      'cmdline.too-long',
      host([...BASE, `x=${'y'.repeat(1900)}`]),
    ],
    ['iommu=off in the line', 'cmdline.contradicted', host([...BASE, 'iommu=off'])],
    [
      'the line as asked, but no IOMMU in use',
      'iommu.no-units',
      host([...BASE, 'intel_iommu=on', 'iommu=pt']),
    ],
    [
      'the line as asked, but groups of another type',
      'iommu.wrong-type',
      host([...BASE, 'intel_iommu=on', 'iommu=pt'], { iommu: up('DMA') }),
    ],
    [
      'the line as asked, but an IOMMU without groups',
      'iommu.no-groups',
      host([...BASE, 'intel_iommu=on', 'iommu=pt'], { iommu: { ...up('DMA'), groups: [] } }),
    ],
    [
      'the line as asked, but an IOMMU that stays on',
      'iommu.still-on',
      host([...BASE, 'intel_iommu=off'], { iommu: up('DMA') }),
      { ...NOTHING_ASKED, iommu: 'disabled' },
    ],
    [
      'no boot id, by which a reboot is proven',
      'host.no-boot-id',
      compact({ ...host(BASE), bootId: undefined }),
    ],
    ['no machine id', 'host.no-machine-id', compact({ ...host(BASE), machineId: undefined })],
  ];

  it.each(cases)('%s: %s', (_what, code, facts, target = passthrough) => {
    expect(planHost(facts, target)).toMatchObject({ kind: 'blocked', code });
  });
});

describe('planHost: a line that holds a password', () => {
  it.each(['rd.iscsi.password=hunter2', 'netroot=iscsi:user:hunter2@192.0.2.1::3260::iqn.x'])(
    'is not copied into a rollout: %s',
    (secret) => {
      const args = [...BASE, secret];
      const plan = planHost(host(args), passthrough);
      expect(plan).toMatchObject({ kind: 'blocked', code: 'cmdline.secret' });
      expect(JSON.stringify(plan)).not.toContain('hunter2');
    },
  );
});
