import { describe, expect, it } from 'vitest';
import { specChanges } from '../../../src/cli/plan/spec-changes.ts';
import { parseSpec } from '../../../src/schema/spec.ts';

const HEAD = 'name: a\nhosts: { inventory: i }\n';

function changes(before: string, after: string): readonly string[] {
  const parsed = [before, after].map((text) => {
    const spec = parseSpec(`${HEAD}${text}\n`, 's.yaml');
    if (!spec.ok) throw new Error(spec.problems.map(({ message }) => message).join('\n'));
    return spec.spec;
  });
  return specChanges(parsed[0], parsed[1]);
}

const TARGET = 'target: { iommu: enabled }';

describe('what changed in a spec since its plan', () => {
  it.each([
    ['nothing', TARGET, `${TARGET} # a comment`, []],
    ['a target', TARGET, 'target: { iommu: disabled }', ['target.iommu: enabled -> disabled']],
    [
      'a part that was not there',
      TARGET,
      'target: { iommu: enabled, hostDma: passthrough }',
      ['target.hostDma: - -> passthrough'],
    ],
    [
      'arguments, as a whole list',
      'target: { kernelArgs: { present: [a=1] } }',
      'target: { kernelArgs: { present: [a=1, b=2] } }',
      ['target.kernelArgs.present: ["a=1"] -> ["a=1","b=2"]'],
    ],
    [
      'a share',
      `${TARGET}\nlimits: { maxFailures: 2% }`,
      `${TARGET}\nlimits: { maxFailures: 3 }`,
      ['limits.maxFailures: 2% -> 3'],
    ],
    [
      'a time, in words',
      TARGET,
      `${TARGET}\nreboot: { timeout: 1h30m }`,
      ['reboot.timeout: 20m -> 1h30m'],
    ],
    [
      'one wave of two',
      `${TARGET}\nwaves: [{ name: c, hosts: 1, bake: 10m }, { name: all, upTo: 100% }]`,
      `${TARGET}\nwaves: [{ name: c, hosts: 1, bake: 30m }, { name: all, upTo: 100% }]`,
      ['waves.0.bake: 10m -> 30m'],
    ],
    [
      'what becomes of one VF, not the count beside it',
      `target: { devices: [{ name: n, match: { id: 8086:1572 }, vfs: { count: 2 } }] }`,
      `target: { devices: [{ name: n, match: { id: 8086:1572 }, vfs: { count: 2, groups: [{ vfs: 0-1, vlan: 5 }] } }] }`,
      ['target.devices.0.vfs.vfs.0.vlan: - -> 5', 'target.devices.0.vfs.vfs.1.vlan: - -> 5'],
    ],
    [
      'a size, in words',
      TARGET,
      'target: { iommu: enabled, hugepagesReserve: 16G }',
      ['target.hugepagesReserve: 8G -> 16G'],
    ],
  ])('names %s', (_what, before, after, expected) => {
    expect(changes(before, after)).toEqual(expected);
  });

  it('cuts a long value', () => {
    const long = `target: { kernelArgs: { present: [${'x'.repeat(200)}] } }`;
    const [line] = changes(TARGET.replace('iommu: enabled', 'kernelArgs: { present: [y] }'), long);
    expect(line?.length).toBeLessThan(140);
    expect(line).toMatch(/\.\.\.$/);
  });
});
