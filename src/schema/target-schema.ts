import { z } from 'zod';
import { compact } from '../domain/compact.ts';
import type { Allow, Target } from '../domain/spec.ts';
import { attachProblems } from './attach-problems.ts';
import { type Contradiction, reportAll, twins } from './contradiction.ts';
import { devicesSchema, toDevices } from './devices-schema.ts';
import { firmwareSchema } from './firmware-schema.ts';
import { guestsSchema, toGuests } from './guests-schema.ts';
import {
  hugepagesReserveSchema,
  hugepagesSchema,
  pageArgsProblems,
  toHugepages,
} from './hugepages-schema.ts';
import { contradictions, kernelArgsSchema } from './kernel-args-schema.ts';
import { asksModules, modulesSchema } from './modules-schema.ts';

/** `target`: the desired state of every host. */
export const targetSchema = z
  .strictObject({
    iommu: z
      .enum(['enabled', 'disabled'])
      .optional()
      .meta({ description: 'Whether the IOMMU is on; absent: left as found.' }),
    hostDma: z.enum(['passthrough', 'translated']).optional().meta({
      description:
        'passthrough (iommu=pt): the drivers of the host itself keep their speed; absent: left as found.',
    }),
    kernelArgs: kernelArgsSchema.prefault({}).meta({ examples: [{ present: ['pci=realloc'] }] }),
    hugepages: hugepagesSchema,
    hugepagesReserve: hugepagesReserveSchema,
    devices: devicesSchema,
    guests: guestsSchema,
    modules: modulesSchema.prefault({}).meta({ description: 'Kernel modules.' }),
    firmware: firmwareSchema
      .prefault({})
      .meta({ description: 'What the firmware of a host must be; vfleet never changes it.' }),
  })
  .superRefine((target, context) => {
    reportAll(context, contradictions(target));
    reportAll(context, pageArgsProblems(target));
    const [devices, guests] = [toDevices(target.devices), toGuests(target.guests)];
    reportAll(context, attachProblems({ devices, guests }));
    reportAll(context, iommuProblems(target.iommu, devices));
    if (asksForSomething(target)) return;
    const message = `asks for nothing; name ${PARTS}`;
    reportAll(context, [{ path: [], message, unlessInside: true }]);
  })
  .meta({ minProperties: 1, examples: [{ iommu: 'enabled' }] });

const PARTS = 'iommu, hostDma, kernelArgs, hugepages, devices, guests, modules or firmware';

type TargetInput = z.output<typeof targetSchema>;

function asksForSomething(target: TargetInput): boolean {
  const { kernelArgs, hugepages, devices, guests, modules, firmware } = target;
  const asked = [target.iommu, target.hostDma, firmware.minVersion, firmware.minDate];
  const lists = [kernelArgs.present, kernelArgs.absent, hugepages, devices, guests];
  return (
    asked.some((part) => part !== undefined) ||
    lists.some((list) => list.length > 0) ||
    asksModules(modules)
  );
}

/** vfio-pci binds no device without an IOMMU. */
function iommuProblems(iommu: Target['iommu'], devices: Target['devices']): Contradiction[] {
  if (iommu !== 'disabled') return [];
  return devices.flatMap(({ driver, vfs }, at) => {
    const drivers = [driver, ...(vfs?.vfs ?? []).map((vf) => vf.driver)];
    if (!drivers.includes('vfio-pci')) return [];
    const message = 'asks for vfio-pci, which needs the IOMMU, and iommu: disabled turns it off';
    return [{ path: ['devices', at], message }];
  });
}

/** `allow`: what a person takes responsibility for by name. */
export const allowSchema = z
  .array(z.enum(['ssh-route', 'root-disk', 'boot-vga', 'network', 'unsafe-interrupts']))
  .superRefine((names, context) => {
    const message = 'stands here twice';
    reportAll(
      context,
      twins(names).map(({ at }) => ({ path: [at], message })),
    );
  })
  .prefault([])
  .meta({ uniqueItems: true, examples: [['boot-vga']] });

/** The domain's target from a parsed one and what the spec allows. */
export function toTarget(input: TargetInput, allow: readonly Allow[]): Target {
  const { hugepages, hugepagesReserve, devices, guests, firmware, ...rest } = input;
  return compact({
    ...rest,
    hugepages: toHugepages(hugepages),
    hugepagesReserveKiB: hugepagesReserve,
    devices: toDevices(devices),
    guests: toGuests(guests),
    firmware: compact(firmware),
    allow,
  });
}
