import { describe, expect, it } from 'vitest';
import { compareIds, compareVersions } from '../../src/simulator/model/bls/compare.ts';
import { grubbyArgs } from '../../src/simulator/model/programs/grubby-args.ts';

describe('the order of entries', () => {
  it.each([
    ['5.14.0-427.el9', '5.14.0-362.el9', 1],
    ['5.14.0-427.13.1', '5.14.0-427', 1],
    ['6.9', '6.10', -1],
    ['1.0~rc1', '1.0', -1],
    ['1.0+debug', '1.0', 1],
    ['1.0+debug', '1.0.1', -1],
    ['1.0', '1.00', 0],
    ['abc', '1', -1],
    ['12345678901234567890123', '12345678901234567890122', 1],
  ])('%s against %s is %d', (one, two, expected) => {
    expect(Math.sign(compareVersions(one, two))).toBe(expected);
    expect(Math.sign(compareVersions(two, one))).toBe(-expected || 0);
  });

  it('is by machine id, then version, then release, so that the rescue entry is last', () => {
    const ids = ['aa-0-rescue', 'aa-5.14.0-362.el9', 'aa-5.14.0-427.el9', 'aa-6.1-1.el9'];
    expect(ids.toSorted(compareIds)).toEqual(ids.toReversed());
  });

  it.each([
    ['below', '1f'],
    ['above', 'fa'],
  ])('has vfleet’s trial %s kernels of a machine id that begins with %s', (where, id) => {
    const verdict = compareIds('vfleet-trial', `${id}00-5.14.0-427.el9`);
    expect(verdict > 0 ? 'below' : 'above').toBe(where);
  });
});

describe('the arguments that grubby leaves', () => {
  it.each([
    ['ro quiet', '', 'iommu=pt', 'ro quiet iommu=pt'],
    ['console=tty0 console=ttyS0', '', 'console=ttyS1', 'console=ttyS1'],
    [
      'hugepagesz=1G hugepages=4 hugepagesz=2M hugepages=8',
      '',
      'hugepages=2',
      'hugepagesz=1G hugepagesz=2M hugepages=2',
    ],
    ['a=1 b a=2', 'a', '', 'b'],
    ['a=1 b a=1', 'a=1', '', 'b a=1'],
    ['ab=1 a', 'a', '', 'ab=1'],
    ['root=UUID=x ro', '', 'root=UUID=y', 'ro root=UUID=y'],
    ['intel_iommu=on', '', 'iommu=pt', 'intel_iommu=on iommu=pt'],
  ])('makes of %j, without %j and with %j: %j', (line, remove, add, expected) => {
    expect(grubbyArgs(line, remove, add)).toBe(expected);
  });
});
