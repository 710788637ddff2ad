import fc from 'fast-check';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { CODES, type Code } from '../../../src/domain/codes.ts';
import { diagnose, notRead } from '../../../src/domain/diagnose/diagnose.ts';
import type { Rule, Severity } from '../../../src/domain/diagnose/finding.ts';
import { RULES } from '../../../src/domain/diagnose/rules.ts';
import { planHost } from '../../../src/domain/planner.ts';
import { loadCapture } from '../../../src/facts/capture.ts';
import { parseSymptoms } from '../../../src/facts/diagnose/parse-symptoms.ts';
import { grubWith, targetOf } from '../../support/device-facts.ts';
import { FAULT_EXCERPTS, HEALTHY_EXCERPTS } from './excerpts/faults.ts';
import { FIRMWARE_EXCERPTS } from './excerpts/firmware.ts';
import { KERNEL_EXCERPTS } from './excerpts/kernel.ts';
import { AMD, NO_IOMMU, findings, lineOf, symptomsOf, type Excerpt } from './excerpts/symptoms.ts';

const captured = async (name: string) =>
  parseSymptoms(
    await loadCapture(fileURLToPath(new URL(`../../fixtures/captures/${name}`, import.meta.url))),
  );

const fake = (code: Code, severity: Severity, explains?: readonly Code[], times = 1): Rule => ({
  code,
  topic: 'kernel',
  severity,
  ...(explains === undefined ? {} : { explains }),
  find: () => Array.from({ length: times }, () => ({ sentence: code, proof: [], next: 'nothing' })),
});

const order = (...rules: readonly Rule[]): readonly string[] =>
  diagnose(symptomsOf({}), rules).map(({ code, follows }) => [code, ...follows].join(' < '));

describe('what is found', () => {
  it('stands by severity, and otherwise in the order of the rules', () => {
    const rules = [
      fake('host.no-qemu', 'note'),
      fake('host.no-kvm', 'warning'),
      fake('kernel.too-old', 'critical'),
      fake('bind.no-vfio', 'warning'),
    ];
    expect(order(...rules)).toEqual([
      'kernel.too-old',
      'host.no-kvm',
      'bind.no-vfio',
      'host.no-qemu',
    ]);
  });

  it('stands after what explains it, however light the cause is', () => {
    const rules = [
      fake('iommu.no-units', 'critical', ['bind.no-group']),
      fake('kernel.too-old', 'critical'),
      fake('bind.no-group', 'critical'),
      fake('firmware.table-odd', 'note', ['iommu.no-units']),
    ];
    expect(order(...rules)).toEqual([
      'kernel.too-old',
      'firmware.table-odd',
      'iommu.no-units < firmware.table-odd',
      'bind.no-group < iommu.no-units',
    ]);
  });

  it('follows only from what was found, and never from itself', () => {
    const absent = { ...fake('firmware.no-dmar', 'critical', ['iommu.no-units']), find: () => [] };
    expect(order(absent, fake('iommu.no-units', 'critical', ['iommu.no-units']))).toEqual([
      'iommu.no-units',
    ]);
  });

  it('comes to an end where two explain each other', () => {
    const one = fake('iommu.no-units', 'critical', ['iommu.no-groups']);
    const other = fake('iommu.no-groups', 'warning', ['iommu.no-units']);
    expect(order(one, other)).toHaveLength(2);
  });

  it('is no more than twenty findings of one rule', () => {
    expect(order(fake('fault.dma-blocked', 'warning', undefined, 50))).toHaveLength(20);
  });
});

describe('the rules', () => {
  it('have an entry for each code that they raise or explain', () => {
    const named = RULES.flatMap(({ code, explains = [] }) => [code, ...explains]);
    expect(named.filter((code) => !CODES.has(code))).toEqual([]);
  });

  it('raise each code with one severity, whichever log it comes from', () => {
    const severities = new Map(RULES.map(({ code, severity }) => [code, severity]));
    expect(RULES.filter(({ code, severity }) => severities.get(code) !== severity)).toEqual([]);
  });

  it('find nothing in healthy hosts, all topics together', () => {
    for (const excerpt of Object.values(HEALTHY_EXCERPTS)) {
      expect(diagnose(symptomsOf(excerpt))).toEqual([]);
    }
  });

  it('name the cause first in every excerpt, all topics together', () => {
    const all: readonly Excerpt[] = [
      ...Object.values(FIRMWARE_EXCERPTS),
      ...Object.values(KERNEL_EXCERPTS),
      ...Object.values(FAULT_EXCERPTS),
    ];
    for (const excerpt of all) {
      expect(diagnose(symptomsOf(excerpt))[0]?.code).toBe(findings(excerpt)[0]?.code);
    }
  });
});

const UP = { units: ['dmar0'], groups: [], interruptRemapping: true };
const ON = ['root=UUID=58589ca0', 'ro', 'intel_iommu=on', 'iommu=pt'];

/** Why a plan of `iommu: enabled` blocks a host. */
const BLOCKED: readonly (readonly [Code, Excerpt])[] = [
  ['kernel.too-old', { facts: { kernelRelease: '4.9.0-19-amd64' } }],
  ['firmware.no-dmar', FIRMWARE_EXCERPTS['an Intel board with VT-d off']],
  ['firmware.no-ivrs', FIRMWARE_EXCERPTS['an AMD board with its IOMMU on Auto']],
  ['firmware.no-virtualization', FIRMWARE_EXCERPTS['SVM off']],
  ['host.no-kvm', { facts: { kvm: false } }],
  ['host.no-qemu', { facts: { qemu: false } }],
  ['iommu.no-units', { facts: { iommu: NO_IOMMU, ...lineOf('intel_iommu=on') } }],
  ['iommu.no-groups', { facts: { iommu: UP, ...lineOf('intel_iommu=on') } }],
  [
    'cmdline.pending-differs',
    {
      facts: {
        iommu: NO_IOMMU,
        runningArgs: ON,
        bootLoader: grubWith(['root=UUID=58589ca0', 'ro', 'quiet']),
      },
    },
  ],
];

describe('a blocked or held host', () => {
  it.each(BLOCKED)('has %s as its reason, and diagnose finds the same', (code, excerpt) => {
    const { facts } = symptomsOf(excerpt);
    expect(planHost(facts, targetOf({ iommu: 'enabled' }))).toMatchObject({
      kind: 'blocked',
      code,
    });
    const found = diagnose(symptomsOf(excerpt));
    expect(found.map((finding) => finding.code)).toContain(code);
  });

  it('is told the same sentence by both', () => {
    for (const [code, excerpt] of BLOCKED.filter(([name]) => name !== 'cmdline.pending-differs')) {
      const plan = planHost(symptomsOf(excerpt).facts, targetOf({ iommu: 'enabled' }));
      const found = diagnose(symptomsOf(excerpt)).find((finding) => finding.code === code);
      expect(plan).toMatchObject({
        sentence: expect.stringContaining(found?.sentence ?? '?') as string,
      });
    }
  });
});

describe('captures of the lab', () => {
  it('show exactly that the line turns the IOMMU off', async () => {
    const symptoms = await captured('debian-12-iommu-off');
    expect(diagnose(symptoms)).toMatchObject([
      {
        code: 'cmdline.iommu-off',
        proof: [{ text: 'intel_iommu=off' }, { source: '/etc/default/grub' }],
        follows: [],
      },
      { code: 'iommu.no-units', follows: ['cmdline.iommu-off'] },
    ]);
  });

  it.each(['debian-12-passthrough', 'debian-12-vfs'])(
    'show nothing wrong with %s',
    async (name) => {
      const symptoms = await captured(name);
      expect(diagnose(symptoms)).toEqual([]);
      expect(notRead(symptoms)).toEqual(["the kernel's log", 'the modules of the kernel']);
    },
  );
});

describe('a hostile host', () => {
  const line = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 700 }),
    fc
      .tuple(
        fc.constantFrom(
          'DMAR: [DMA Read] Request device [04:00.0] fault addr ',
          'AMD-Vi: Event logged [IO_PAGE_FAULT device=',
          'vfio-pci 0000:01:00.0: BAR 1: can\u001b[2Jt reserve ',
          'vfio-pci 0000:01:00.0: ',
          'DMAR: [Firmware Bug]: ',
          "AMD-Vi: Unknown option - '",
          'ahci 0000:02:00.0: PCIe Bus Error: severity=',
        ),
        fc.string({ unit: 'binary', maxLength: 300 }),
      )
      .map(([start, end]) => start + end),
  );

  it('never breaks a rule, and reaches no terminal', () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 30 }), fc.boolean(), (log, amd) => {
        const configLines = log.map((text) => ({ path: text, text }));
        const args = log.slice(0, 5);
        const facts = { ...(amd ? AMD : {}), runningArgs: args, kernelRelease: log[0] ?? '' };
        const found = diagnose(
          symptomsOf({
            log,
            facts,
            over: { configLines, guestLogs: { [log[0] ?? 'x']: log }, auditLog: log },
          }),
        );
        for (const { sentence, proof, next } of found) {
          const texts = [sentence, next, ...proof.flatMap(({ source, text }) => [source, text])];
          for (const text of texts) {
            expect(text).not.toMatch(/[\p{Cc}\p{Cf}]/u);
            expect(text.length).toBeLessThanOrEqual(700);
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  it('does not keep its reader busy with lines that repeat a beginning', () => {
    const parts = [
      'AMD-Vi: Event logged [',
      'DMAR: [DMA Read] Request device [',
      'vfio-pci ',
      '0000:01:00.0: ',
      'IOAPIC[1',
      'DRHD ',
    ];
    const log = parts.flatMap((part) =>
      Array.from({ length: 160 }, () => part.repeat(600 / part.length)),
    );
    const began = performance.now();
    diagnose(symptomsOf({ log }));
    expect(performance.now() - began).toBeLessThan(3_000);
  });
});
