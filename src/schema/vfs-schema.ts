import { z } from 'zod';
import { compact } from '../domain/compact.ts';
import type { VfTarget, VfsTarget } from '../domain/spec.ts';
import { type Contradiction, reportAll, twins } from './contradiction.ts';
import { asGuess } from './meant.ts';
import { formed, wholeNumber } from './scalars.ts';

/** Most VFs of one PF; a plan names each of them. */
export const VFS_MAX = 256;
/** Highest VLAN id; 0 is none. */
const VLAN_MAX = 4_094;
/** Fastest rate, in Mbit/s: faster than any port there is. */
const RATE_MAX = 10_000_000;

/** The drivers that a spec may ask for. */
export const driverSchema = z.enum(['vfio-pci', 'native']);

const index = z.union([z.string(), z.number()], {
  error: 'expected a VF such as 4, or a range such as 0-3',
});

/** `4`, `0-3`, or a list of those: VF indexes, in the order in which they are written. */
const indexes = z
  .union([z.string(), z.number(), z.array(index)], {
    error: 'expected a VF such as 4, a range such as 0-3, or a list of them',
  })
  .transform((input, context) => {
    const parts = Array.isArray(input) ? input : [input];
    if (parts.length === 0) {
      const message = 'is empty; name a VF such as 4, or a range such as 0-3';
      context.addIssue({ code: 'custom', message, continue: true });
    }
    return parts.flatMap((part, at) => {
      const read = readRange(String(part));
      if (typeof read !== 'string') return read;
      const path = Array.isArray(input) ? [at] : [];
      context.addIssue({ code: 'custom', path, message: read, continue: true });
      return [];
    });
  })
  .meta({
    anyOf: [...INDEX_FORMS(), { type: 'array', minItems: 1, items: { anyOf: INDEX_FORMS() } }],
  });

function INDEX_FORMS(): { type: 'string' | 'integer'; pattern?: string; minimum?: number }[] {
  return [
    { type: 'string', pattern: '^\\d{1,3}(-\\d{1,3})?$' },
    { type: 'integer', minimum: 0 },
  ];
}

/** The indexes of `4` or `0-3`, or what is wrong with it. */
function readRange(text: string): number[] | string {
  const [, first, last = first] = /^(\d{1,3})(?:-(\d{1,3}))?$/.exec(text) ?? [];
  if (first === undefined) {
    const [, from, to] = /^(\d{1,3})\s*(?:\.\.|:|to|–|-)\s*(\d{1,3})$/.exec(text.trim()) ?? [];
    const guess = asGuess(from === undefined ? undefined : `${from}-${to ?? ''}`);
    return `expected a VF such as 4, or a range such as 0-3, found "${text}"${guess}`;
  }
  const [from, to] = [Number(first), Number(last)];
  if (to < from) return `"${text}" ends before it begins`;
  if (to >= VFS_MAX) return `VF ${to} does not exist; the most is ${VFS_MAX} VFs, from 0`;
  return Array.from({ length: to - from + 1 }, (_, at) => from + at);
}

const MAC = {
  pattern: /^[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5}$/,
  expected: 'a MAC address such as 02:00:00:00:00:01',
  guess: (text: string) => text.replaceAll('-', ':'),
};

const macSchema = formed(MAC).superRefine((mac, context) => {
  if (!MAC.pattern.test(mac)) return;
  const message =
    Number.parseInt(mac.slice(0, 2), 16) % 2 === 1
      ? `${mac} is a group address; the second digit of a card's own is even`
      : /^[0:]+$/.test(mac)
        ? 'is no address; leave it out for one that the driver makes'
        : undefined;
  if (message !== undefined) context.addIssue({ code: 'custom', message });
});

const groupSchema = z
  .strictObject({
    vfs: indexes.meta({ description: 'Which VFs: 4, 0-3, or a list.' }),
    driver: driverSchema
      .prefault('native')
      .meta({ description: 'vfio-pci: for guests; native: for the host itself.' }),
    mac: macSchema.optional().meta({ description: 'Address of the one VF of this group.' }),
    vlan: wholeNumber(0, VLAN_MAX).optional().meta({ description: '0: none.' }),
    trust: z.boolean().optional().meta({
      description: 'Whether the guest may change its address and listen to all traffic.',
    }),
    spoofCheck: z
      .boolean()
      .optional()
      .meta({ description: 'Whether the card drops what is sent from a false address.' }),
    maxRate: wholeNumber(0, RATE_MAX).optional().meta({ description: 'Mbit/s; 0: no limit.' }),
  })
  .meta({ examples: [{ vfs: '0-3', driver: 'vfio-pci' }] });

type GroupInput = z.output<typeof groupSchema>;

/** `vfs` of a device entry: how many VFs each of its PFs has, and what becomes of them. */
export const vfsSchema = z
  .strictObject({
    count: wholeNumber(1, VFS_MAX).meta({ description: 'VFs on each PF.' }),
    mtu: wholeNumber(68, 65_535)
      .optional()
      .meta({ description: "Of the PF's interface; absent: left as found." }),
    groups: z
      .array(groupSchema)
      .min(1, { error: 'is empty; leave it out for VFs that the host itself uses' })
      .max(VFS_MAX)
      .optional()
      .meta({ description: 'Each VF in one group; absent: all with their native driver.' }),
  })
  .superRefine((vfs, context) => {
    reportAll(context, groupProblems(vfs.count, vfs.groups ?? []));
  })
  .meta({ examples: [{ count: 8, groups: [{ vfs: '0-7', driver: 'vfio-pci' }] }] });

type VfsInput = z.output<typeof vfsSchema>;

/** The domain's VFs from parsed ones: an entry for each index. */
export function toVfs({ count, mtu, groups = [] }: VfsInput): VfsTarget {
  const vfs = Array.from({ length: count }, (_, at): VfTarget => {
    const group = groups.find((one) => one.vfs.includes(at));
    return group === undefined ? { driver: 'native' } : toVf(group);
  });
  return compact({ count, mtu, vfs });
}

function toVf({ driver, mac, vlan, trust, spoofCheck, maxRate }: GroupInput): VfTarget {
  return compact({ driver, mac, vlan, trust, spoofCheck, maxRate });
}

function groupProblems(count: number, groups: readonly GroupInput[]): Contradiction[] {
  if (groups.length === 0) return [];
  const found = groups.flatMap((group, at) => [
    ...indexProblems(count, group.vfs, groups.slice(0, at)).map((message) => ({
      path: ['groups', at, 'vfs'],
      message,
    })),
    ...macProblems(group, groups.slice(0, at)).map((message) => ({
      path: ['groups', at, 'mac'],
      message,
    })),
  ]);
  const named = new Set(groups.flatMap((group) => group.vfs));
  const left = Array.from({ length: count }, (_, at) => at).filter((at) => !named.has(at));
  // A group that could not be read names none: what it leaves out says nothing.
  if (left.length === 0 || groups.some((group) => group.vfs.length === 0)) return found;
  const verb = left.length === 1 ? 'is' : 'are';
  const message = `${vfNames(left)} ${verb} in none of them; each of the ${count} VFs belongs to one`;
  return [...found, { path: ['groups'], message }];
}

function indexProblems(
  count: number,
  vfs: readonly number[],
  earlier: readonly GroupInput[],
): string[] {
  const beyond = vfs.filter((at) => at >= count);
  const twice = twins(vfs.map(String)).flatMap(({ at }) => vfs[at] ?? []);
  const shared = earlier.flatMap((group, at) => {
    const both = group.vfs.filter((one) => vfs.includes(one));
    return both.length === 0 ? [] : [`${vfNames(both)}: in groups.${at} too`];
  });
  return [
    ...(beyond.length === 0
      ? []
      : [`${vfNames(beyond)}: beyond the last, which is ${count - 1} with count: ${count}`]),
    ...(twice.length === 0 ? [] : [`${vfNames(twice)}: stands here twice`]),
    ...shared,
  ];
}

function macProblems({ mac, vfs }: GroupInput, earlier: readonly GroupInput[]): string[] {
  if (mac === undefined || !MAC.pattern.test(mac)) return [];
  const first = earlier.findIndex((group) => group.mac === mac);
  return [
    ...(vfs.length > 1
      ? [`would be that of ${vfNames(vfs)}; give each VF a group of its own`]
      : []),
    ...(first === -1 ? [] : [`${mac} is in groups.${first} too`]),
  ];
}

/** `VF 4`, `VFs 0-3 and 6`. */
function vfNames(indexes: readonly number[]): string {
  const ranges: { from: number; to: number }[] = [];
  for (const at of [...new Set(indexes)].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last?.to === at - 1) last.to = at;
    else ranges.push({ from: at, to: at });
  }
  const text = ranges.map(({ from, to }) => (from === to ? String(from) : `${from}-${to}`));
  const [only] = ranges;
  const isOne = ranges.length === 1 && only?.from === only?.to;
  return `${isOne ? 'VF' : 'VFs'} ${text.join(', ')}`;
}
