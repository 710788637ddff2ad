import { describe, expect, it } from 'vitest';
import { debianChange } from '../../support/debian-change.ts';
import type { DeviceFacts } from '../../../src/domain/device-facts.ts';
import type { Facts } from '../../../src/domain/facts.ts';
import {
  pageArgsText,
  parsePageArgs,
  wantedCounts,
} from '../../../src/domain/devices/page-args.ts';
import { tmpfilesText } from '../../../src/domain/devices/tmpfiles.ts';
import { parseDropIn } from '../../../src/domain/drop-in.ts';
import { applyArgs, tokenise } from '../../../src/domain/kernel-args.ts';
import { TMPFILES_PATH } from '../../../src/domain/own-files.ts';
import type { HugepagesTarget, Target } from '../../../src/domain/spec.ts';
import {
  deviceFacts,
  GIB_KIB,
  grubWith,
  hostWith,
  numaNode,
  targetOf,
  withLine,
} from '../../support/device-facts.ts';
import { blockOf, changesOf, ofKind } from './planned.ts';

const G = 1048576;
const M = 2048;

function pages(
  sizeKiB: typeof G | typeof M,
  count: number,
  over: Partial<HugepagesTarget> = {},
): HugepagesTarget {
  return { sizeKiB, count, at: 'boot', ...over };
}

const asked = (...hugepages: HugepagesTarget[]): Target => targetOf({ hugepages });
const host = (over: Partial<DeviceFacts> = {}) =>
  hostWith(deviceFacts([], { numaNodes: [numaNode(0), numaNode(1)], ...over }), {
    memTotalKiB: 128 * GIB_KIB,
  });
const having = (total: number, free = total, size = G) => ({
  hugepages: {
    [String(M)]: { total: 0, free: 0 },
    [String(G)]: { total: 0, free: 0 },
    [String(size)]: { total, free },
  },
});

function lineOf(facts: Facts, target: Target): string {
  const [change] = ofKind(facts, target, 'cmdline');
  return (change?.after ?? []).slice(4).join(' ');
}

describe('huge pages of boot time', () => {
  it.each<[string, string, HugepagesTarget[], string]>([
    ['one size', '', [pages(G, 16)], 'hugepagesz=1G hugepages=16'],
    [
      'two sizes with one count, largest first',
      '',
      [pages(M, 16), pages(G, 16)],
      'hugepagesz=1G hugepages=16 hugepagesz=2M hugepages=16',
    ],
    [
      'by node',
      '',
      [pages(G, 8, { node: 1 }), pages(G, 4, { node: 0 })],
      'hugepagesz=1G hugepages=0:4,1:8',
    ],
    [
      'in place of another count of the size',
      'hugepagesz=1G hugepages=8 quiet',
      [pages(G, 16)],
      'quiet hugepagesz=1G hugepages=16',
    ],
    [
      'beside a size that nobody asks about',
      'hugepagesz=2M hugepages=16 quiet',
      [pages(G, 16)],
      'quiet hugepagesz=1G hugepages=16 hugepagesz=2M hugepages=16',
    ],
    [
      'beside a node that nobody asks about',
      'hugepagesz=1G hugepages=0:4,1:4',
      [pages(G, 8, { node: 1 })],
      'hugepagesz=1G hugepages=0:4,1:8',
    ],
    [
      'with the count of the default size made explicit',
      'hugepages=512',
      [pages(G, 2)],
      'hugepagesz=1G hugepages=2 hugepagesz=2M hugepages=512',
    ],
  ])('are put on the line: %s', (_, line, hugepages, result) => {
    const args = ['root=UUID=58589ca0', 'ro', 'intel_iommu=on', 'iommu=pt', ...tokenise(line)];
    const facts = { ...host(), runningArgs: args, bootLoader: grubWith(args) };
    expect(lineOf(facts, asked(...hugepages))).toBe(result);
  });

  it('replace those of an earlier rollout in the drop-in, and take those of the main file off', () => {
    const earlier = ['pci=realloc', 'hugepagesz=1G', 'hugepages=8'];
    const [change] = ofKind(withLine(host(), earlier), asked(pages(G, 16)), 'cmdline');
    expect(change?.after.slice(4)).toEqual(['pci=realloc', 'hugepagesz=1G', 'hugepages=16']);
    expect(parseDropIn(debianChange(change).dropIn.after)).toEqual({
      add: ['pci=realloc', 'hugepagesz=1G', 'hugepages=16'],
      drop: ['hugepagesz=1G', 'hugepages=8'],
    });
  });

  it('are not asked for twice', () => {
    const nodes = { numaNodes: [numaNode(0, having(8)), numaNode(1, having(8))] };
    const facts = withLine(host(nodes), ['hugepagesz=1G', 'hugepages=16']);
    expect(blockOf(facts, asked(pages(G, 16))).code).toBe('compliant');
  });

  it('that are on the line and not there are told with both numbers', () => {
    const facts = withLine(host(), ['hugepagesz=1G', 'hugepages=16']);
    expect(blockOf(facts, asked(pages(G, 16)))).toMatchObject({
      code: 'hugepages.fewer-than-asked',
      sentence: expect.stringContaining('16 pages of 1 GiB and 0 are there') as string,
    });
  });

  it('make the same line when applied twice', () => {
    const lines = ['hugepagesz=1G hugepages=8 ro', 'hugepages=8', 'hugepagesz=2M hugepages=8 ro'];
    for (const line of lines) {
      const args = tokenise(line);
      const add = pageArgsText(wantedCounts(parsePageArgs(args).counts, [pages(G, 8)]));
      const drop = args.filter((arg) => arg.startsWith('huge'));
      const once = applyArgs(args, { add, drop });
      expect(applyArgs(once, { add, drop })).toEqual(once);
      expect(parsePageArgs(once).counts.get(G)).toBe('8');
    }
  });

  it('are read as the kernel reads them: a size counts once, a count without one is of the default', () => {
    const counts = (line: string) => [...parsePageArgs(tokenise(line)).counts];
    expect(counts('default_hugepagesz=1G hugepages=4')).toEqual([[G, '4']]);
    expect(counts('hugepagesz=1G hugepages=4 hugepagesz=1G hugepages=9')).toEqual([[G, '4']]);
    expect(counts('hugepages=4 hugepages=9')).toEqual([[M, '4']]);
  });
});

describe('huge pages at run time', () => {
  const runtime = (count: number, over: Partial<HugepagesTarget> = {}) =>
    pages(M, count, { at: 'runtime', ...over });

  it('are written to sysfs and kept by tmpfiles.d, without a reboot', () => {
    const target = asked(runtime(512, { node: 1 }));
    expect(changesOf(host(), target)).toEqual([
      {
        kind: 'hugepages',
        pages: [{ sizeKiB: M, node: 1, before: 0, after: 512 }],
        file: {
          path: TMPFILES_PATH,
          before: null,
          after: tmpfilesText([{ sizeKiB: M, node: 1, count: 512 }]),
        },
      },
    ]);
  });

  it('count for the whole machine without a node', () => {
    const nodes = { numaNodes: [numaNode(0, having(10, 10, M)), numaNode(1, having(2, 2, M))] };
    expect(ofKind(host(nodes), asked(runtime(64)), 'hugepages')).toMatchObject([
      { pages: [{ node: null, before: 12, after: 64 }] },
    ]);
  });

  it('are left alone when they are there and kept', () => {
    const nodes = [numaNode(0, having(64, 0, M)), numaNode(1)];
    const line = tmpfilesText([{ sizeKiB: M, node: null, count: 64 }])!;
    const facts = host({ numaNodes: nodes, ownFiles: { [TMPFILES_PATH]: line } });
    expect(blockOf(facts, asked(runtime(64))).code).toBe('compliant');
  });

  it('keep the lines of an earlier rollout for other sizes, and replace those of theirs', () => {
    const before = tmpfilesText([
      { sizeKiB: G, node: 0, count: 1 },
      { sizeKiB: M, node: null, count: 7 },
    ])!;
    const facts = host({ ownFiles: { [TMPFILES_PATH]: before } });
    const [change] = ofKind(facts, asked(runtime(512, { node: 0 })), 'hugepages');
    expect(change?.file).toEqual({
      path: TMPFILES_PATH,
      before,
      after: tmpfilesText([
        { sizeKiB: G, node: 0, count: 1 },
        { sizeKiB: M, node: 0, count: 512 },
      ]),
    });
  });

  it('leave tmpfiles.d once the kernel line has them', () => {
    const ownFiles = { [TMPFILES_PATH]: tmpfilesText([{ sizeKiB: G, node: null, count: 4 }])! };
    const changes = changesOf(host({ ownFiles }), asked(pages(G, 8)));
    expect(changes).toMatchObject([
      { kind: 'cmdline' },
      { kind: 'hugepages', pages: [], file: { after: null } },
    ]);
  });
});

describe('huge pages that a host cannot have', () => {
  const busy = { numaNodes: [numaNode(0, having(64, 10, M)), numaNode(1)] };
  const others = { numaNodes: [numaNode(0, having(40)), numaNode(1)] };
  const line = (...args: string[]) => withLine(host(), args);

  it.each<[string, string, Facts, HugepagesTarget, RegExp]>([
    [
      'less than the reserve would be left',
      'hugepages.reserve',
      host(),
      pages(G, 121),
      /121\.0 GiB of the 128\.0 GiB .* leave it 7\.0 GiB; hugepagesReserve keeps 8\.0 GiB/,
    ],
    [
      'too little memory',
      'hugepages.reserve',
      host(),
      pages(G, 900),
      /772\.0 GiB more than the 128/,
    ],
    [
      'the pages that are there already count too',
      'hugepages.reserve',
      host(others),
      pages(M, 42 * 1024, { at: 'runtime', node: 0 }),
      /leave/,
    ],
    [
      'a node has less memory',
      'hugepages.node-memory',
      host(),
      pages(G, 65, { node: 1 }),
      /65\.0 GiB of NUMA node 1, which has 64\.0 GiB/,
    ],
    [
      'there is no such node',
      'hugepages.no-node',
      host(),
      pages(G, 1, { node: 4, at: 'runtime' }),
      /NUMA node 4, and this host has node 0, 1/,
    ],
    [
      'the kernel takes none by node at boot',
      'hugepages.node-at-boot',
      { ...host(), kernelRelease: '5.15.0-91-generic', bootLoader: oldKernel() },
      pages(G, 1, { node: 0 }),
      /from 5\.16 on/,
    ],
    [
      'the kernel has none of that size',
      'hugepages.refused',
      host({ numaNodes: [numaNode(0, { hugepages: {} })] }),
      pages(G, 1, { at: 'runtime' }),
      /pdpe1gb/,
    ],
    [
      'more are in use than are to stay',
      'hugepages.in-use',
      host(busy),
      pages(M, 50, { at: 'runtime' }),
      /54 pages of 2 MiB are in use and the spec asks for 50/,
    ],
    [
      'the line cannot be read',
      'hugepages.line-unclear',
      line('hugepages=1G'),
      pages(G, 1),
      /has hugepages=1G, which cannot be read/,
    ],
    [
      'tmpfiles.d has a file of somebody else',
      'devices.file-foreign',
      host({ ownFiles: { [TMPFILES_PATH]: 'w /sys/x - - - - 1\n' } }),
      pages(M, 1, { at: 'runtime' }),
      /tmpfiles\.d/,
    ],
  ])('%s: %s', (_, code, facts, hugepages, sentence) => {
    const block = blockOf(facts, asked(hugepages));
    expect(block.code).toBe(code);
    expect(block.sentence).toMatch(sentence);
  });
});

function oldKernel() {
  const grub = grubWith(['root=UUID=58589ca0', 'ro', 'intel_iommu=on', 'iommu=pt']);
  const defaultEntry = { ...grub.defaultEntry, kernel: '/boot/vmlinuz-5.15.0-91-generic' };
  return { ...grub, defaultEntry };
}
