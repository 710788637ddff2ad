import { describe, expect, it } from 'vitest';
import type { Code } from '../../../src/domain/codes.ts';
import { GUESTS_RULES } from '../../../src/domain/diagnose/guests.ts';
import { deviceFacts, guestFacts } from '../../support/device-facts.ts';
import type { DeviceExcerpt as Excerpt } from './excerpts/device-hosts.ts';
import { foundBy } from './excerpts/device-hosts.ts';
import {
  device,
  END,
  guest,
  hostdev,
  log,
  NIC,
  qemu,
  START,
  TAKEN,
} from './excerpts/guest-hosts.ts';

const findings = (excerpt: Excerpt) => foundBy(GUESTS_RULES, excerpt);

const DENIED =
  'audit: type=1400 audit(1714727563.384:41): apparmor="DENIED" operation="open" class="file" profile="libvirt-2938f233-2589-4f85-9aa8-2f1cabd92dbf" name="/dev/vfio/12" pid=1183 comm="qemu-system-x86" requested_mask="wr" denied_mask="wr" fsuid=64055 ouid=0';
const AVC =
  'type=AVC msg=audit(1640553674.465:1513): avc:  denied  { read write } for  pid=31328 comm="qemu-kvm" name="12" dev="devtmpfs" ino=876 scontext=system_u:system_r:svirt_t:s0:c135,c969 tcontext=system_u:object_r:vfio_device_t:s0 tclass=chr_file permissive=0';

const CASES: readonly (readonly [string, Excerpt, readonly Code[], RegExp])[] = [
  [
    'a guest whose memory could not be mapped',
    log(device('VFIO_MAP_DMA failed: Cannot allocate memory')),
    ['vfio.memory-limit'],
    /^guest edge-gw did not start: its memory could not be locked for its device \(0000:3b:00\.0, vfio-pci\)/,
  ],
  [
    'the same in the words of the listener alone',
    log(
      device(
        `vfio ${NIC}: failed to setup container for group 25: memory listener initialization failed: Region pc.ram: vfio_dma_map(0x5b4411be9ab0, 0x100000000, 0x380000000, 0x7d0b40000000) = -12 (Cannot allocate memory)`,
      ),
    ),
    ['vfio.memory-limit'],
    /could not be locked/,
  ],
  [
    'too few huge pages, when they are mapped',
    log(qemu('unable to map backing store for guest RAM: Cannot allocate memory')),
    ['guest.no-hugepages'],
    /not enough free huge pages/,
  ],
  [
    'too few huge pages, when they are touched',
    log(
      qemu('os_mem_prealloc: Insufficient free host memory pages available to allocate guest RAM'),
    ),
    ['guest.no-hugepages'],
    /not enough free huge pages/,
  ],
  [
    'too few huge pages, since 7.1',
    log(qemu('qemu_prealloc_mem: preallocating memory failed: Bad address')),
    ['guest.no-hugepages'],
    /not enough free huge pages/,
  ],
  [
    'a group that QEMU may not open',
    log(
      qemu(
        `-device vfio-pci,host=${NIC},id=hostdev0,bus=pci.8,addr=0x1: vfio ${NIC}: failed to open /dev/vfio/94: Permission denied`,
      ),
    ),
    ['guest.no-vfio-access'],
    /QEMU may not open \/dev\/vfio \(0000:3b:00\.0, vfio-pci\)/,
  ],
  [
    'a container that QEMU may not open, since 9.2',
    log(device(`vfio ${NIC}: Could not open '/dev/vfio/vfio': Operation not permitted`)),
    ['guest.no-vfio-access'],
    /QEMU may not open/,
  ],
  [
    'a group that another process has',
    log(device(`vfio ${NIC}: failed to open /dev/vfio/12: Device or resource busy`)),
    ['guest.group-busy'],
    /another process has a device of its IOMMU group/,
  ],
  [
    'a group that the kernel does not give',
    log(
      device(
        `vfio ${NIC}: failed to setup container for group 12: Failed to set iommu for container: Operation not permitted`,
      ),
    ),
    ['guest.vfio-refused'],
    /does not let VFIO take its IOMMU group/,
  ],
  [
    'the same as QEMU 2.11 said it',
    log(
      qemu(
        `-device vfio-pci,host=3b:00.0,id=hostdev0: vfio error: ${NIC}: failed to setup container for group 12: failed to set iommu for container: Operation not permitted`,
      ),
    ),
    ['guest.vfio-refused'],
    /0000:3b:00\.0, vfio-pci/,
  ],
  [
    'a device without a group, since the IOMMU is off',
    log(device(`vfio ${NIC}: no iommu_group found: No such file or directory`)),
    ['bind.no-group'],
    /its device has no IOMMU group/,
  ],
  [
    'a card that does not wake up',
    log(qemu('vfio: Unable to power on device, stuck in D3')),
    ['vfio.device-stuck'],
    /its device does not wake up$/,
  ],
  [
    'a denial of AppArmor, and what came of it',
    {
      ...log(device(`vfio ${NIC}: failed to open /dev/vfio/12: Permission denied`)),
      log: [DENIED, DENIED],
    },
    ['guest.denied', 'guest.no-vfio-access'],
    /^AppArmor refused \/dev\/vfio\/12 to a guest \(libvirt-2938f233-.*\) 2 times/,
  ],
  [
    'a denial of SELinux in the audit log',
    { devices: guest(), facts: { selinux: 'enforcing' }, over: { auditLog: [AVC] } },
    ['guest.denied'],
    /^SELinux refused vfio_device_t to a guest \(svirt_t\) once/,
  ],
  [
    'a denial of SELinux for huge pages',
    {
      devices: guest(),
      over: {
        auditLog: [
          'type=AVC msg=audit(1640553674.465:1514): avc:  denied  { map } for  pid=31328 comm=CPU 0/KVM path=/dev/hugepages/libvirt/qemu/1-edge-gw dev="hugetlbfs" ino=876 scontext=system_u:system_r:svirt_t:s0:c135,c969 tcontext=system_u:object_r:hugetlbfs_t:s0 tclass=file permissive=0',
        ],
      },
    },
    ['guest.denied'],
    /refused \/dev\/hugepages\/libvirt/,
  ],
];

const OLD = device(`vfio ${NIC}: failed to open /dev/vfio/12: Permission denied`);
const HEALTHY: readonly (readonly [string, Excerpt])[] = [
  [
    'an error of an earlier start',
    {
      devices: guest(),
      over: {
        guestLogs: {
          'edge-gw': [
            START,
            OLD,
            END,
            START,
            '2024-05-03 10:00:00.000+0000: shutting down, reason=shutdown',
          ],
        },
      },
    },
  ],
  [
    'an error of a guest that runs by now',
    {
      devices: guest({ running: true, hostdevs: [hostdev({ live: true })] }),
      over: { guestLogs: { 'edge-gw': [START, OLD] } },
    },
  ],
  [
    'an error of a guest that is gone',
    { devices: guest(), over: { guestLogs: { gone: [START, OLD, END] } } },
  ],
  [
    'a card that cannot be reset, of a guest that starts all the same',
    log(qemu(`vfio: Cannot reset device ${NIC}, no available reset mechanism.`)),
  ],
  [
    'warnings of QEMU',
    log(
      qemu("warning: host doesn't support requested feature: CPUID.07H:EBX.hle [bit 4]"),
      'Domain id=1 is tainted: host-cpu',
    ),
  ],
  [
    'a denial of what QEMU can do without',
    {
      log: [
        DENIED.replace('/dev/vfio/12', '/run/udev/data/+usb:1-1.4:1.1'),
        DENIED.replace('/dev/vfio/12', '/proc/1183/task/1190/comm'),
      ],
    },
  ],
  ['a denial of another program', { log: [DENIED.replace(/libvirt-[0-9a-f-]+/, 'named')] }],
  [
    'what SELinux only notes',
    { over: { auditLog: [AVC.replace('permissive=0', 'permissive=1')] } },
  ],
  [
    'an old denial, since SELinux was set to permissive',
    { facts: { selinux: 'permissive' }, over: { auditLog: [AVC] } },
  ],
  [
    'a denial of another daemon for a device of VFIO',
    { over: { auditLog: [AVC.replace('svirt_t', 'qatlib_t')] } },
  ],
];

describe('the logs of guests', () => {
  it.each(CASES)('find of %s what is wrong, the cause first', (_, excerpt, codes, sentence) => {
    const found = findings(excerpt);
    expect(found.map(({ code }) => code)).toEqual(codes);
    expect(found[0]?.sentence).toMatch(sentence);
    for (const { proof, next } of found) {
      expect(proof).not.toEqual([]);
      expect(next).not.toBe('');
    }
  });

  it.each(HEALTHY)('find nothing of %s', (_, excerpt) => {
    expect(findings(excerpt)).toEqual([]);
  });

  it('show the line, and the log that it stands in', () => {
    expect(findings(CASES[5]![1])[0]).toMatchObject({
      severity: 'critical',
      proof: [
        {
          source: '/var/log/libvirt/qemu/edge-gw.log',
          text: expect.stringContaining('failed to open /dev/vfio/94') as string,
        },
      ],
    });
  });

  it('take no name of a guest for anything else than a name', () => {
    const name = 'a\u001b[31m$& __proto__';
    const one = guestFacts(name, { hostdevs: [hostdev()], ballooning: true });
    const found = findings({
      devices: deviceFacts([TAKEN], { guests: [one, guestFacts('__proto__')] }),
      over: { guestLogs: { [name]: [device('VFIO_MAP_DMA failed: Cannot allocate memory')] } },
    });
    expect(found.map(({ code }) => code)).toEqual(['vfio.memory-limit', 'guest.ballooning']);
    expect(found[0]?.next).toContain('virsh memtune a\\u{1b}[31m$& __proto__ ');
    // eslint-disable-next-line no-control-regex
    expect(JSON.stringify(found)).not.toMatch(/\\u001b|[\x00-\x1f]/);
  });

  it('read hostile lines in no time', () => {
    const long = (text: string): string => text.repeat(60_000 / text.length);
    const lines = [
      'vfio_dma_map(',
      'avc: denied scontext=a:',
      'apparmor="DENIED" name="/',
      '2024-05-03T',
    ].map(long);
    const start = performance.now();
    findings({
      devices: guest(),
      log: lines,
      over: { guestLogs: { 'edge-gw': lines }, auditLog: lines },
    });
    expect(performance.now() - start).toBeLessThan(1_000);
  });
});
