import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diagnose, notRead } from '../../../src/domain/diagnose/diagnose.ts';
import { parseSymptoms } from '../../../src/facts/diagnose/parse-symptoms.ts';
import { DIAGNOSE_PROBE } from '../../../src/facts/probe.ts';
import { QUERY_NAMES, type QueryName, type Snapshot } from '../../../src/facts/snapshot.ts';
import { createMemoryHost } from '../../../src/simulator/memory-host.ts';
import type { HostTreeOptions } from '../../../src/simulator/model/make-host-tree.ts';

interface Holds {
  readonly files?: Readonly<Record<string, string>>;
  readonly queries?: Readonly<Partial<Record<QueryName, string>>>;
}

const snapshot = ({ files = {}, queries = {} }: Holds): Snapshot => ({
  files: new Map(Object.entries(files).map(([path, text]) => [path, Buffer.from(text)])),
  links: new Map(),
  dirs: new Map(),
  queries: new Map(
    (Object.entries(queries) as [QueryName, string][]).map(([name, output]) => [
      name,
      { code: 0, output },
    ]),
  ),
});

describe('symptoms', () => {
  it('are read from the answers of the script', () => {
    const symptoms = parseSymptoms(
      snapshot({
        files: {
          '/sys/class/watchdog/watchdog0/bootstatus': '32\n',
          '/sys/class/watchdog/watchdog1/bootstatus': '0\n',
          '/sys/kernel/irq/1/chip_name': 'IO-APIC\n',
          '/etc/default/grub': '# iommu=pt\nGRUB_CMDLINE_LINUX="intel_iommu=off"\nGRUB_TIMEOUT=0\n',
          '/etc/kernel/cmdline': 'root=UUID=1 ro iommu=pt\n',
          '/boot/loader/entries/a.conf': 'options root=UUID=1 intel_iommu=on\n',
        },
        queries: {
          'kernel-log': 'DMAR: IOMMU disabled\n\nDMAR: x',
          'guest-logs':
            'file /var/log/libvirt/qemu/edge gw.log\n2026-11-20 10:00: x\nfile /var/log/libvirt/qemu/b.log\n',
          'audit-log': 'type=AVC msg=...\n',
          'module-files': 'vfio\nvfio_pci\nvfio\n$(reboot)\n',
          'modprobe-lines': '/etc/modprobe.d/a.conf\toptions vfio-pci ids=1:2\nno path\tx\n',
        },
      }),
    );
    expect(symptoms).toMatchObject({
      kernelLog: ['DMAR: IOMMU disabled', 'DMAR: x'],
      guestLogs: { 'edge gw': ['2026-11-20 10:00: x'], b: [] },
      auditLog: ['type=AVC msg=...'],
      bootStatus: { watchdog0: 32 },
      irqChips: { '1': 'IO-APIC' },
      moduleFiles: ['vfio', 'vfio_pci'],
      configLines: [
        { path: '/boot/loader/entries/a.conf', text: 'options root=UUID=1 intel_iommu=on' },
        { path: '/etc/default/grub', text: 'GRUB_CMDLINE_LINUX="intel_iommu=off"' },
        { path: '/etc/kernel/cmdline', text: 'root=UUID=1 ro iommu=pt' },
        { path: '/etc/modprobe.d/a.conf', text: 'options vfio-pci ids=1:2' },
      ],
    });
    expect(notRead(symptoms)).toEqual([]);
  });

  it('lack what was not read, so that nothing is said of it', () => {
    const symptoms = parseSymptoms(snapshot({}));
    expect(symptoms).toMatchObject({ guestLogs: {}, bootStatus: {} });
    for (const part of ['kernelLog', 'auditLog', 'irqChips', 'moduleFiles', 'configLines']) {
      expect(symptoms).not.toHaveProperty(part);
    }
    expect(notRead(symptoms)).toHaveLength(4);
  });

  it('lack the answer of a query that failed', () => {
    const failed: Snapshot = {
      ...snapshot({}),
      queries: new Map([['kernel-log', { code: 1, output: 'DMAR: x' }]]),
    };
    expect(parseSymptoms(failed)).not.toHaveProperty('kernelLog');
  });

  it('hold no more of a log than they need, and no name that is something else', () => {
    const long = Array.from({ length: 5_000 }, (_, at) => `DMAR: ${at} ${'x'.repeat(5_000)}`);
    const { kernelLog = [], guestLogs } = parseSymptoms(
      snapshot({
        queries: {
          'kernel-log': long.join('\n'),
          'guest-logs': `file /var/log/libvirt/qemu/__proto__.log\nx\nfile /etc/shadow\n${'y\n'.repeat(500)}`,
        },
      }),
    );
    expect(kernelLog).toHaveLength(1_000);
    expect(Math.max(...kernelLog.map(({ length }) => length))).toBe(600);
    expect(kernelLog.at(-1)).toMatch(/^DMAR: 4999 /);
    expect(Object.keys(guestLogs)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(guestLogs)).toBe(Object.prototype);
  });

  it('are found of whatever a host says', () => {
    const junk = fc.string({ unit: 'binary', maxLength: 400 });
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom('/etc/default/grub', '/proc/cmdline', '/proc/modules'), junk),
        fc.array(fc.tuple(fc.constantFrom(...QUERY_NAMES), junk), { maxLength: 6 }),
        (files, queries) => {
          const symptoms = parseSymptoms(snapshot({ files, queries: Object.fromEntries(queries) }));
          expect(Array.isArray(diagnose(symptoms))).toBe(true);
        },
      ),
    );
  });
});

describe('a simulated host', () => {
  const found = async (options: Partial<HostTreeOptions>) => {
    const host = createMemoryHost({ name: 'hv1', ...options });
    const read = await host.read({ entries: DIAGNOSE_PROBE, deadlineMs: 10_000 });
    host.model.dispose();
    const symptoms = parseSymptoms(read);
    expect(notRead(symptoms)).toEqual([]);
    return diagnose(symptoms).map(({ code }) => code);
  };

  const OSES = [
    'debian-12',
    'ubuntu-24.04',
    'rhel-8.10',
    'almalinux-9.2',
    'rocky-9.4',
    'centos-10',
    'fedora-42',
  ] as const;
  const LINES = [['intel_iommu=on', 'iommu=pt'], ['intel_iommu=on']] as const;

  it.each(OSES)('that is healthy shows nothing, whatever it is, on %s', async (os) => {
    for (const kernelArgs of LINES) {
      expect(await found({ os, kernelArgs })).toEqual([]);
      const amd = kernelArgs.filter((arg) => arg !== 'intel_iommu=on');
      expect(await found({ os, cpu: 'amd', kernelArgs: amd })).toEqual([]);
    }
  });

  it('shows the cause first of each of the cases of the lab', async () => {
    const first = async (...args: Parameters<typeof found>) => (await found(...args))[0];
    expect(await first({ kernelArgs: ['intel_iommu=off'] })).toBe('cmdline.iommu-off');
    expect(await first({ iommuFirmware: false })).toBe('firmware.no-dmar');
    expect(await first({ os: 'rocky-9.4' })).toBe('cmdline.iommu-not-asked');
    expect(await first({ cpu: 'amd', kernelArgs: ['amd_iommu=on'] })).toBe(
      'cmdline.unknown-option',
    );
    expect(await first({ kernelArgs: ['intel_iommu=on'], interruptRemapping: false })).toBe(
      'iommu.no-interrupt-remapping',
    );
  });
});
