import { describe, expect, it } from 'vitest';
import { cmdlineOf } from '../../src/domain/changes.ts';
import { EMPTY_DEVICES } from '../../src/domain/device-facts.ts';
import type { Facts, GrubDebianFacts } from '../../src/domain/facts.ts';
import { dropInText } from '../../src/domain/drop-in.ts';
import { leftAlone } from '../../src/domain/left-alone.ts';
import { planHost } from '../../src/domain/planner.ts';
import type { Target } from '../../src/domain/spec.ts';
import { NOTHING_ASKED } from '../../src/domain/spec.ts';

const BASE = ['root=UUID=58589ca0', 'ro', 'console=ttyS0'];

function facts(args: readonly string[], over: Partial<Facts> = {}, dropIn?: string): Facts {
  const bootLoader: GrubDebianFacts = {
    supported: true,
    kind: 'grub-debian',
    defaultEntry: { title: 'Debian', kernel: '/boot/vmlinuz-6.1.0-56-amd64', args },
    dropInFolder: true,
    oneShot: { safe: true },
    ...(dropIn === undefined ? {} : { dropIn }),
  };
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
    bootLoader,
    devices: EMPTY_DEVICES,
    ...over,
  };
}

const target = (over: Partial<Target> = {}): Target => ({
  ...NOTHING_ASKED,
  iommu: 'enabled',
  hostDma: 'passthrough',
  ...over,
});

function left(found: Facts, asked: Target = target()): readonly string[] {
  const plan = planHost(found, asked);
  if (plan.kind !== 'changes') throw new Error(`expected changes, got ${JSON.stringify(plan)}`);
  return leftAlone(found, asked, cmdlineOf(plan.changes)!);
}

const amd: Partial<Facts> = {
  cpu: { vendor: 'amd', virtualization: true },
  firmware: { dmar: false, ivrs: true },
};

describe('what a plan leaves alone', () => {
  it('names the rest of the line without values, so that hosts of a kind say the same', () => {
    expect(left(facts(BASE))).toEqual(['the rest of the line stays: root ro console']);
    const other = facts(['root=UUID=77', 'ro', 'console=ttyS1']);
    expect(left(other)).toEqual(left(facts(BASE)));
  });

  it('says what of the target is on the line already', () => {
    expect(left(facts([...BASE, 'intel_iommu=on']))[0]).toBe(
      'intel_iommu=on: asked for, on the line already',
    );
    const asked = target({ kernelArgs: { present: ['pci=realloc'], absent: [] } });
    expect(left(facts([...BASE, 'pci=realloc']), asked)[0]).toBe(
      'pci=realloc: asked for, on the line already',
    );
  });

  it('says that AMD-Vi is on by itself, and not so of VT-d', () => {
    const sentence = 'AMD-Vi is on by itself: no argument is added for it';
    expect(left(facts(BASE, amd))).toContain(sentence);
    expect(left(facts(BASE))).not.toContain(sentence);
    const off: Target = { ...NOTHING_ASKED, iommu: 'disabled' };
    expect(left(facts(BASE, amd), off)).not.toContain(sentence);
  });

  it('says that the kernel gives passthrough by its own default', () => {
    const iommu = {
      units: ['ivhd0'],
      groups: [{ id: '0', type: 'identity' }],
      interruptRemapping: true,
    };
    const asked = target({ kernelArgs: { present: ['pci=realloc'], absent: [] } });
    expect(left(facts(BASE, { ...amd, iommu }), asked)).toContain(
      "host DMA is passthrough by the kernel's own default: no argument is added for it",
    );
  });

  it('says that an argument which is to be absent is not there', () => {
    const asked = target({ kernelArgs: { present: [], absent: ['quiet'] } });
    expect(left(facts(BASE), asked)).toContain('quiet: to be absent, not on the line');
    expect(left(facts([...BASE, 'quiet']), asked).join()).not.toContain('quiet');
  });

  it("shows the operator's own arguments about PCI and the IOMMU with their values", () => {
    const found = facts([...BASE, 'pci=noaer', 'hugepages=32', 'iommu.strict=1']);
    expect(left(found)).toEqual([
      'pci=noaer hugepages=32 iommu.strict=1: not asked for, stays as it is',
      'the rest of the line stays: root ro console',
    ]);
  });

  it('says which one counts when the operator wrote the opposite', () => {
    expect(left(facts([...BASE, 'intel_iommu=off']))[0]).toBe(
      'intel_iommu=off stays on the line; what is added after it counts, since the last one wins',
    );
  });

  it('says what an earlier rollout put into the drop-in and stays there', () => {
    const dropIn = dropInText({ add: ['pci=realloc'], drop: [] });
    expect(left(facts([...BASE, 'pci=realloc'], {}, dropIn))).toEqual([
      "pci=realloc: an earlier rollout's, stays in the drop-in",
      'the rest of the line stays: root ro console',
    ]);
  });

  it('stays short on a line of the longest kind', () => {
    const long = Array.from({ length: 90 }, (_, at) => `vfio.word${at}=1`);
    for (const sentence of left(facts([...BASE, ...long]))) {
      expect(sentence.length).toBeLessThan(400);
    }
  });
});
