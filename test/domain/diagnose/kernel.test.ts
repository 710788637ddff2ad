import { describe, expect, it } from 'vitest';
import type { Code } from '../../../src/domain/codes.ts';
import { dropInText } from '../../../src/domain/drop-in.ts';
import { grubWith } from '../../support/device-facts.ts';
import { KERNEL_EXCERPTS } from './excerpts/kernel.ts';
import { findings } from './excerpts/symptoms.ts';

/** The codes in their order, what the first finding says, and what it tells to do. */
const CASES: readonly (readonly [keyof typeof KERNEL_EXCERPTS, readonly Code[], RegExp, RegExp])[] =
  [
    [
      'intel_iommu=off in /etc/default/grub',
      ['cmdline.iommu-off', 'iommu.no-units'],
      /^intel_iommu=off on the running/,
      /in \/etc\/default\/grub$/,
    ],
    [
      'a later off in a drop-in, which wins',
      ['cmdline.iommu-off', 'iommu.no-units'],
      /counts more than intel_iommu=on/,
      /50-site\.cfg$/,
    ],
    [
      'a later on, which wins',
      ['cmdline.overruled'],
      /overruled by a later intel_iommu=on/,
      /absent/,
    ],
    [
      'iommu=off, which nothing takes back',
      ['cmdline.iommu-off', 'iommu.no-units'],
      /^iommu=off .* counts more than intel_iommu=on/,
      /absent: \[iommu=off\]/,
    ],
    ['amd_iommu=off', ['cmdline.iommu-off', 'iommu.no-units'], /^amd_iommu=off/, /absent/],
    [
      'off in this boot, and no more in the next',
      ['cmdline.iommu-off', 'iommu.no-units', 'cmdline.pending-differs'],
      /turns the IOMMU off/,
      /reboot the host/,
    ],
    [
      'a kernel that has it off unless asked',
      ['cmdline.iommu-not-asked', 'iommu.no-units'],
      /nothing on the running kernel line/,
      /intel_iommu=on/,
    ],
    [
      'asked for, but not booted yet',
      ['cmdline.iommu-not-asked', 'iommu.no-units', 'cmdline.pending-differs'],
      /nothing on the running kernel line/,
      /reboot the host/,
    ],
    [
      'amd_iommu=on, which does nothing',
      ['cmdline.unknown-option'],
      /amd_iommu=on.*on by itself/,
      /take it off/,
    ],
    [
      'amd_iommu=pt, meant as iommu=pt',
      ['cmdline.unknown-option'],
      /amd_iommu=pt/,
      /write iommu=pt/,
    ],
    ['pt and nopt on one line', ['cmdline.overruled'], /opposite things/, /absent/],
    [
      'intremap=off',
      ['cmdline.interrupts-off', 'iommu.no-interrupt-remapping'],
      /^intremap=off/,
      /absent: \[intremap=off\]/,
    ],
    [
      'an edit that update-grub has not seen',
      ['cmdline.off-in-file'],
      /^intel_iommu=off stands in a file/,
      /take it out/,
    ],
    [
      'a new kernel that is not booted',
      ['cmdline.pending-differs'],
      /but 6\.1\.0-55-amd64 runs/,
      /reboot/,
    ],
    ['an edit that is not booted', ['cmdline.pending-differs'], /another kernel line/, /reboot/],
    ['CentOS 7', ['kernel.too-old'], /older than 4\.10/, /newer kernel/],
    [
      'a small cloud kernel',
      ['bind.no-vfio'],
      /no vfio_pci and no vfio_iommu_type1/,
      /cloud kernel/,
    ],
    ['vfio-pci that may not be loaded', ['bind.no-vfio'], /keeps vfio-pci/, /take the line out/],
    ['KVM that is not loaded', ['host.no-kvm'], /KVM is not there/, /modprobe kvm_intel/],
    ['no QEMU', ['host.no-qemu'], /QEMU is not installed/, /install QEMU/],
  ];

describe('the rules of the kernel', () => {
  it.each(CASES)('find in %s what is wrong, the cause first', (name, codes, sentence, next) => {
    const found = findings(KERNEL_EXCERPTS[name]);
    expect(found.map(({ code }) => code)).toEqual(codes);
    expect(found[0]?.sentence).toMatch(sentence);
    expect(found[0]?.next).toMatch(next);
    for (const { proof } of found) expect(proof).not.toEqual([]);
  });

  it('has a case for each excerpt', () => {
    expect(CASES.map(([name]) => name)).toEqual(Object.keys(KERNEL_EXCERPTS));
  });

  it('names the file of the argument that wins', () => {
    const [first] = findings(KERNEL_EXCERPTS['a later off in a drop-in, which wins']);
    expect(first?.proof.map(({ source }) => source)).toEqual([
      '/proc/cmdline',
      '/etc/default/grub.d/50-site.cfg',
    ]);
  });

  it('shows what differs in the next boot, and no password', () => {
    const [first] = findings(KERNEL_EXCERPTS['an edit that is not booted']);
    expect(first?.proof).toEqual([
      { source: 'next boot', text: '+ pci=realloc rd.iscsi.password=...' },
    ]);
  });

  it('says nothing of an argument that our own drop-in takes out', () => {
    const args = ['root=UUID=58589ca0', 'ro', 'intel_iommu=on', 'iommu=pt'];
    const dropIn = dropInText({ add: ['intel_iommu=on'], drop: ['intel_iommu=off'] });
    const configLines = [
      { path: '/etc/default/grub', text: 'GRUB_CMDLINE_LINUX="intel_iommu=off"' },
    ];
    const facts = { runningArgs: args, bootLoader: grubWith(args, { dropIn }) };
    expect(findings({ facts, over: { configLines } })).toEqual([]);
  });

  it('says nothing of a kernel whose modules were not listed', () => {
    expect(findings({ unread: ['moduleFiles'], devices: { modules: [] } })).toEqual([]);
  });
});
