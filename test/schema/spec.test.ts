import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NOTHING_ASKED, type Spec } from '../../src/domain/spec.ts';
import { formatProblem } from '../../src/schema/problem.ts';
import { parseSpec } from '../../src/schema/spec.ts';

const MINIMAL = `name: a
hosts: { inventory: hosts.ini }
target: { iommu: enabled }
`;

function specOf(text: string): Spec {
  const parsed = parseSpec(text, 'spec.yaml');
  if (!parsed.ok) throw new Error(parsed.problems.map(formatProblem).join('\n'));
  return parsed.spec;
}

function warningsOf(text: string): string[] {
  const parsed = parseSpec(text, 'spec.yaml');
  return parsed.ok ? parsed.warnings.map(formatProblem) : ['is refused'];
}

describe('a spec that is right', () => {
  it('gets a safe default for everything but name, hosts and target', () => {
    expect(specOf(MINIMAL)).toEqual({
      name: 'a',
      owner: {},
      hosts: { inventory: { path: 'hosts.ini' }, select: 'all' },
      target: { ...NOTHING_ASKED, iommu: 'enabled' },
      waves: [
        {
          name: 'canary',
          size: { kind: 'add', hosts: 1, each: 'kind' },
          maxFailures: { kind: 'count', count: 0 },
          bakeMs: 600_000,
          promote: 'manual',
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
      hooks: {},
      reboot: { timeoutMs: 1_200_000 },
      onHostFailure: 'hold',
      onBudgetSpent: 'pause',
    });
  });

  it('carries everything that this release builds', () => {
    const spec = specOf(`version: 1
name: enable-iommu-2
owner: { team: net, contact: "#net", ticket: CHG-1 }
hosts: { inventory: inv/prod.yaml, select: "hypervisors:&site_fra:!retired" }
target:
  iommu: enabled
  hostDma: translated
  kernelArgs: { present: [pci=realloc], absent: [intel_iommu=off, quiet] }
waves:
  - { name: first, hosts: 2, each: none, maxFailures: 1, bake: 1h30m, promote: manual }
  - { name: more, hosts: 3, maxFailures: 10% }
  - { name: some, upTo: 20, bake: 90s }
  - { name: rest, upTo: 100% }
limits: { parallel: 500, maxUnavailable: 2, maxFailures: 0 }
hooks:
  drain: { on: worker, run: [drain, --all], timeout: 1h }
  undrain: { on: worker, run: [undrain] }
  health: { on: host, run: [/usr/bin/true] }
reboot: { timeout: 45m, trial: true }
onHostFailure: rollback
onBudgetSpent: rollback
`);
    expect(spec.target).toStrictEqual({
      ...NOTHING_ASKED,
      iommu: 'enabled',
      hostDma: 'translated',
      kernelArgs: { present: ['pci=realloc'], absent: ['intel_iommu=off', 'quiet'] },
    });
    expect(spec.waves).toEqual([
      {
        name: 'first',
        size: { kind: 'add', hosts: 2, each: null },
        maxFailures: { kind: 'count', count: 1 },
        bakeMs: 5_400_000,
        promote: 'manual',
      },
      {
        name: 'more',
        size: { kind: 'add', hosts: 3, each: null },
        maxFailures: { kind: 'percent', percent: 10 },
        bakeMs: 0,
        promote: 'auto',
      },
      {
        name: 'some',
        size: { kind: 'upTo', share: { kind: 'count', count: 20 } },
        bakeMs: 90_000,
        promote: 'auto',
      },
      {
        name: 'rest',
        size: { kind: 'upTo', share: { kind: 'percent', percent: 100 } },
        bakeMs: 0,
        promote: 'auto',
      },
    ]);
    expect(spec.limits).toEqual({
      parallel: 500,
      maxUnavailable: { kind: 'count', count: 2 },
      maxFailures: { kind: 'count', count: 0 },
    });
    expect(spec.hooks).toEqual({
      drain: { on: 'worker', run: ['drain', '--all'], timeoutMs: 3_600_000 },
      undrain: { on: 'worker', run: ['undrain'], timeoutMs: 600_000 },
      health: { on: 'host', run: ['/usr/bin/true'], timeoutMs: 120_000 },
    });
    expect([spec.owner, spec.reboot, spec.onHostFailure, spec.onBudgetSpent]).toEqual([
      { team: 'net', contact: '#net', ticket: 'CHG-1' },
      { timeoutMs: 2_700_000 },
      'rollback',
      'rollback',
    ]);
  });

  it('gives the first of its own waves one of each kind and no failure', () => {
    const spec = specOf(
      `${MINIMAL}waves: [{ name: one, hosts: 1 }, { name: two, hosts: 1 }, { name: all, upTo: 100% }]`,
    );
    expect(spec.waves.map((wave) => [wave.size, wave.maxFailures])).toEqual([
      [
        { kind: 'add', hosts: 1, each: 'kind' },
        { kind: 'count', count: 0 },
      ],
      [{ kind: 'add', hosts: 1, each: null }, undefined],
      [{ kind: 'upTo', share: { kind: 'percent', percent: 100 } }, undefined],
    ]);
  });

  it('may use anchors and aliases', () => {
    const spec = specOf(`${MINIMAL}hooks: { drain: &h { on: worker, run: [x] }, undrain: *h }`);
    expect(spec.hooks.undrain).toEqual({ on: 'worker', run: ['x'], timeoutMs: 600_000 });
  });

  it.each(['enable-iommu', 'enable-sriov'])('is the example %s, without a warning', (name) => {
    const text = readFileSync(`examples/${name}.yaml`, 'utf8');
    const parsed = parseSpec(text, `${name}.yaml`);
    expect(parsed).toMatchObject({ ok: true, warnings: [], spec: { name } });
  });
});

describe('a spec that is lawful but surprising', () => {
  it.each([
    [
      'limits: { maxFailures: 50% }',
      'spec.yaml:4:24 limits.maxFailures: lets half of the hosts or more fail before new ones stop',
    ],
    [
      'limits: { maxUnavailable: 100% }',
      'spec.yaml:4:27 limits.maxUnavailable: lets half of the hosts or more be down at once',
    ],
    [
      'reboot: { timeout: 2m }',
      'spec.yaml:4:20 reboot.timeout: 2m is less than many servers need for their firmware alone',
    ],
    [
      'waves: [{ name: all, upTo: 100% }]',
      'spec.yaml:4:28 waves.0.upTo: the first wave is all hosts: there is no canary',
    ],
    [
      'allow: [network]',
      'spec.yaml:4:9 allow.0: allows nothing that this target asks for; take it out',
    ],
    [
      'allow: [unsafe-interrupts]',
      'spec.yaml:4:9 allow.0: allows nothing that this target asks for; take it out',
    ],
  ])('%s: warns', (line, warning) => {
    expect(warningsOf(MINIMAL + line)).toEqual([warning]);
  });
});

describe('what a spec allows by name', () => {
  const spec = (allow: string): string =>
    `name: a\nhosts: { inventory: i }\ntarget: { devices: [{ name: n, match: { class: "02" }, driver: vfio-pci }] }\nallow: ${allow}\n`;

  it.each([
    [
      '[ssh-route]',
      'spec.yaml:4:9 allow.0: lets a change take the function that carries SSH: a host may be lost by it',
    ],
    [
      '[boot-vga, root-disk]',
      'spec.yaml:4:19 allow.1: lets a change take the function that carries a file system: a host may be lost by it',
    ],
  ])('is warned of where a host may be lost by it: %s', (allow, warning) => {
    expect(warningsOf(spec(allow))).toEqual([warning]);
  });
});

describe('interrupts without remapping', () => {
  const spec = (allow: string): string =>
    `name: a\nhosts: { inventory: i }\ntarget: { modules: { unsafeInterrupts: true } }\nallow: ${allow}\n`;

  it('are refused unless they are allowed by name, and warned of then', () => {
    expect(() => specOf(spec('[boot-vga]'))).toThrow(
      'spec.yaml:3:40 target.modules.unsafeInterrupts: lets a guest send interrupts to the host; it needs allow: [unsafe-interrupts]',
    );
    expect(specOf(spec('[unsafe-interrupts]')).target.allow).toEqual(['unsafe-interrupts']);
    expect(warningsOf(spec('[unsafe-interrupts]'))).toEqual([
      'spec.yaml:3:40 target.modules.unsafeInterrupts: lets a guest send interrupts to the host, by which a hostile one can take it over',
    ]);
  });
});

describe('whatever the text', () => {
  it('never throws, and says where each problem is', () => {
    const pieces = fc.constantFrom(
      ...[
        'name',
        'hosts',
        'target',
        'waves',
        ': ',
        '\n',
        '\n  ',
        '- ',
        '{',
        '}',
        '[',
        ']',
        '&a',
        '*a',
      ],
      ...[
        '"',
        "'",
        '|',
        '>',
        '!!set',
        '!x',
        '? ',
        '#',
        '---',
        '...',
        '%',
        '1',
        'null',
        '\t',
        '\0',
        '<<',
        'é',
      ],
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 30 }), fc.string(), (parts, noise) => {
        for (const text of [parts.join(''), MINIMAL + parts.join(''), noise]) {
          const parsed = parseSpec(text, 'spec.yaml');
          if (parsed.ok) continue;
          expect(parsed.problems.length).toBeGreaterThan(0);
          for (const { line, col } of parsed.problems) expect(line * col).toBeGreaterThan(0);
        }
      }),
      { numRuns: 500 },
    );
  });
});
