import { z } from 'zod';
import { compact } from '../domain/compact.ts';
import type { GuestTarget } from '../domain/spec.ts';
import { type Contradiction, reportAll, twins } from './contradiction.ts';
import { domainProblem } from './guest-domain.ts';
import { hostPattern, idName, wholeNumber } from './scalars.ts';
import { VFS_MAX } from './vfs-schema.ts';

/** Most entries of `target.guests`, and most devices of one guest. */
const ENTRIES_MAX = 256;
/** Most matches of one device entry on a host. */
const MATCHES_MAX = 256;

const attachSchema = z
  .strictObject({
    device: idName().meta({ description: 'Name of an entry of target.devices.' }),
    pf: wholeNumber(0, MATCHES_MAX - 1)
      .prefault(0)
      .meta({ description: 'Which match of the entry, by address, from 0.' }),
    vf: wholeNumber(0, VFS_MAX - 1)
      .optional()
      .meta({ description: 'Which of its VFs, from 0; absent: the function itself.' }),
  })
  .meta({ examples: [{ device: 'fast-nics', pf: 0, vf: 0 }] });

const guestSchema = z
  .strictObject({
    domain: z
      .string()
      .superRefine((domain, context) => {
        const message = domainProblem(domain);
        if (message !== undefined) context.addIssue({ code: 'custom', message });
      })
      .meta({
        description: 'Name of the libvirt domain; may hold {{ host_var }}.',
        pattern: '^[^\\s/-]',
        examples: ['edge-gw'],
      }),
    hosts: hostPattern()
      .optional()
      .meta({ description: 'Host pattern: the entry holds on these hosts only.' }),
    attach: z
      .array(attachSchema)
      .min(1, { error: 'is empty; name a device, or leave the guest out' })
      .max(ENTRIES_MAX)
      .meta({
        description: 'Devices of the guest.',
        examples: [[{ device: 'fast-nics', pf: 0, vf: 0 }]],
      }),
    managed: z.boolean().prefault(false).meta({
      description: 'Whether libvirt gives a device back to its native driver when the guest stops.',
    }),
    confined: z.enum(['required', 'recorded']).prefault('recorded').meta({
      description: 'required: held unless AppArmor or SELinux confines the guest.',
    }),
    pin: z.enum(['as-found', 'device-node']).prefault('as-found').meta({
      description: "device-node: its vCPUs stay on the CPUs of the device's NUMA node.",
    }),
  })
  .superRefine(({ attach }, context) => {
    const found = twins(attach.map(({ device, pf, vf }) => `${device} ${pf} ${vf ?? ''}`));
    const message = 'stands here twice';
    reportAll(
      context,
      found.map(({ at }) => ({ path: ['attach', at], message })),
    );
  })
  .meta({
    examples: [{ domain: 'edge-gw', attach: [{ device: 'fast-nics', pf: 0, vf: 0 }] }],
  });

type GuestInput = z.output<typeof guestSchema>;

/** `target.guests`: which libvirt guests own which devices. */
export const guestsSchema = z
  .array(guestSchema)
  .max(ENTRIES_MAX)
  .prefault([])
  .superRefine((guests, context) => {
    reportAll(context, domainTwins(guests));
  })
  .meta({ description: 'libvirt guests that own devices.' });

/** Two entries with host patterns may hold on different hosts; with the inventory it is known. */
function domainTwins(guests: readonly GuestInput[]): Contradiction[] {
  const everywhere = guests.map(({ domain, hosts }) => (hosts === undefined ? domain : undefined));
  return twins(everywhere).map(({ at, first }) => ({
    path: [at, 'domain'],
    message: `"${guests[at]?.domain ?? ''}" is the domain of target.guests.${first} too; attach all of its devices there`,
  }));
}

/** The domain's guest entries from parsed ones. */
export function toGuests(guests: readonly GuestInput[]): readonly GuestTarget[] {
  return guests.map((guest) =>
    compact({ ...guest, attach: guest.attach.map((attached) => compact(attached)) }),
  );
}
