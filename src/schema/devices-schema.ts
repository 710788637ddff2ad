import { z } from 'zod';
import { compact } from '../domain/compact.ts';
import type { DeviceMatch, DeviceTarget } from '../domain/spec.ts';
import { type Contradiction, reportAll, twins } from './contradiction.ts';
import { formed, hostPattern, idName, wholeNumber } from './scalars.ts';
import { sharedMacProblems } from './shared-macs.ts';
import { driverSchema, toVfs, vfsSchema } from './vfs-schema.ts';

/** Most entries of `target.devices`. */
const ENTRIES_MAX = 64;
/** Most matches that an entry may expect on one host. */
const MATCHES_MAX = 256;
const NODE_MAX = 1_023;

/** `0x8086-0x1572` and the like, as other tools print it. */
const asId = (text: string): string => text.replaceAll(/0x/gi, '').replace(/[\s./-]+/, ':');

const ID = /^[0-9a-fA-F]{4}:[0-9a-fA-F]{4}$/;
const EXAMPLE = 'vendor:device such as 8086:1572';

const matchSchema = z
  .strictObject({
    address: formed({
      pattern: /^(?:[0-9a-fA-F]{4,8}:)?[0-9a-fA-F]{2}:[01][0-9a-fA-F]\.[0-7]$/,
      expected: 'a PCI address such as 0000:03:00.0',
      guess: asAddress,
    })
      .transform((text) => (/^..:..\../.test(text) ? `0000:${text}` : text))
      .optional()
      .meta({ description: 'PCI address.' }),
    id: formed({ pattern: ID, expected: EXAMPLE, guess: asId })
      .optional()
      .meta({ description: 'Vendor and device, as lspci -n prints them.' }),
    subsystem: formed({ pattern: ID, expected: EXAMPLE, guess: asId })
      .optional()
      .meta({ description: 'Vendor and device of the subsystem: the card around the chip.' }),
    revision: formed({
      pattern: /^[0-9a-fA-F]{2}$/,
      expected: 'two hex digits such as "02"',
      guess: withoutPrefix,
    })
      .optional()
      .meta({ description: 'Revision of the chip.' }),
    class: formed({
      pattern: /^(?:[0-9a-fA-F]{2}){1,3}$/,
      expected: 'two, four or six hex digits from the left, such as "0200"',
      guess: withoutPrefix,
    })
      .optional()
      .meta({ description: 'Class, from the left: "02" is any network card, "0200" Ethernet.' }),
    netdev: nameSchema(
      /^(?!\.{1,2}$)[^\s/:]{1,15}$/,
      'the name of a network interface such as eth0',
    )
      .optional()
      .meta({ description: 'Name of its network interface.' }),
    driver: nameSchema(/^[\w.-]{1,64}$/, 'the name of a driver such as i40e')
      .optional()
      .meta({ description: 'Driver that is bound, or was before vfleet bound another.' }),
    numaNode: wholeNumber(0, NODE_MAX).optional().meta({ description: 'NUMA node it is on.' }),
  })
  .superRefine((match, context) => {
    if (Object.values(match).some((part) => part !== undefined)) return;
    const message = `matches every device; name ${MATCH_PARTS}`;
    reportAll(context, [{ path: [], message, unlessInside: true }]);
  })
  .meta({ minProperties: 1, examples: [{ id: '8086:1572' }] });

const MATCH_PARTS = 'address, id, subsystem, revision, class, netdev, driver or numaNode';

/** `3:0.0` → `03:00.0`. */
function asAddress(text: string): string {
  const [, domain = '', bus, device, fn] =
    /^(?:([0-9a-fA-F]{1,4}):)?([0-9a-fA-F]{1,2})[:.]([0-9a-fA-F]{1,2})[.:]([0-7])$/.exec(text) ??
    [];
  if (bus === undefined || device === undefined || fn === undefined) return text;
  const start = domain === '' ? '' : `${domain.padStart(4, '0')}:`;
  return `${start}${bus.padStart(2, '0')}:${device.padStart(2, '0')}.${fn}`;
}

function withoutPrefix(text: string): string {
  return text.replace(/^0x/i, '');
}

/** Names keep their capitals, unlike numbers in hex. */
function nameSchema(pattern: RegExp, expected: string): z.ZodType<string, string> {
  return z
    .string()
    .refine((text) => pattern.test(text), {
      error: (issue) => `expected ${expected}, found ${JSON.stringify(issue.input)}`,
    })
    .meta({ pattern: pattern.source });
}

const deviceSchema = z
  .strictObject({
    name: idName().meta({ description: 'By which target.guests and messages name the entry.' }),
    hosts: hostPattern()
      .optional()
      .meta({ description: 'Host pattern: the entry holds on these hosts only.' }),
    match: matchSchema.meta({ description: 'Which functions; all given parts must hold.' }),
    guarded: z.enum(['skip', 'refuse']).prefault('refuse').meta({
      description:
        'A match that carries SSH, a file system, ...: skip leaves that one alone, refuse blocks the host.',
    }),
    expect: wholeNumber(1, MATCHES_MAX)
      .optional()
      .meta({ description: 'Matches that a host must have.' }),
    functions: z.enum(['matched', 'all']).prefault('matched').meta({
      description: 'all: every function of the same slot too, as the sound of a graphics card.',
    }),
    driver: driverSchema
      .optional()
      .meta({ description: 'Of the functions themselves; absent: left as found.' }),
    vfs: vfsSchema.optional().meta({ description: 'Virtual functions of each match.' }),
    bind: z.enum(['override', 'ids']).prefault('override').meta({
      description:
        'override: by address; ids: every function of the same ids, from the initramfs on.',
    }),
  })
  .superRefine((device, context) => {
    reportAll(context, deviceProblems(device));
  })
  .meta({
    examples: [{ name: 'gpus', match: { id: '10de:1b80' }, driver: 'vfio-pci' }],
    anyOf: [{ required: ['driver'] }, { required: ['vfs'] }],
  });

type DeviceInput = z.output<typeof deviceSchema>;

/** `target.devices`: which functions are meant, and what is to become of them. */
export const devicesSchema = z
  .array(deviceSchema)
  .max(ENTRIES_MAX)
  .prefault([])
  .superRefine((devices, context) => {
    const found = twins(devices.map(({ name }) => name)).map(({ at, first }) => ({
      path: [at, 'name'],
      message: `"${devices[at]?.name ?? ''}" is the name of target.devices.${first} too`,
    }));
    reportAll(context, [...found, ...sharedMacProblems(devices)]);
  })
  .meta({ description: 'PCI devices: drivers and virtual functions.' });

function deviceProblems(device: DeviceInput): Contradiction[] {
  const { driver, vfs, functions, bind } = device;
  const found: [applies: boolean, path: string[], message: string][] = [
    [
      driver === 'vfio-pci' && vfs !== undefined,
      ['vfs'],
      'stands beside driver: vfio-pci; a guest that owns the PF would own its VFs, so write one of the two',
    ],
    [
      bind === 'ids' && driver !== 'vfio-pci',
      ['bind'],
      'ids goes with driver: vfio-pci; VFs are bound by address',
    ],
    [
      functions === 'all' && driver === undefined,
      ['functions'],
      'all goes with driver; VFs are made on the functions that match',
    ],
  ];
  const asksNothing: Contradiction = {
    path: [],
    message: 'says nothing of what becomes of the device; give it driver, vfs or both',
    unlessInside: true,
  };
  return [
    ...(driver === undefined && vfs === undefined ? [asksNothing] : []),
    ...found.filter(([applies]) => applies).map(([, path, message]) => ({ path, message })),
  ];
}

/** The domain's device entries from parsed ones. */
export function toDevices(devices: readonly DeviceInput[]): readonly DeviceTarget[] {
  return devices.map(({ match, vfs, ...device }) =>
    compact({
      ...device,
      match: compact(match) satisfies DeviceMatch,
      vfs: vfs === undefined ? undefined : toVfs(vfs),
    }),
  );
}
