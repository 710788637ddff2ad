import { z } from 'zod';
import type { ModulesTarget } from '../domain/spec.ts';
import { type Contradiction, reportAll, twins } from './contradiction.ts';

/** Most modules in one list. */
const MODULES_MAX = 64;

/** modprobe takes `-` and `_` for the same and /proc/modules has `_`, so that is how they are carried. */
const moduleName = z
  .string()
  .transform((name, context) => {
    if (NAME.test(name)) return name.replaceAll('-', '_');
    const message = `expected the name of one kernel module such as nouveau, found ${JSON.stringify(name)}`;
    context.addIssue({ code: 'custom', message, continue: true });
    return name;
  })
  .meta({ pattern: '^[A-Za-z0-9][A-Za-z0-9_-]{0,54}$' });

/** As the kernel's MODULE_NAME_LEN has it: 56 bytes with the end of the text. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,54}$/;

const moduleList = z.array(moduleName).max(MODULES_MAX).prefault([]).meta({ uniqueItems: true });

/** `target.modules`: what modprobe.d and modules-load.d say. */
export const modulesSchema = z
  .strictObject({
    blacklist: moduleList.meta({
      description: 'Modules that are not loaded for a device by themselves; none that is in use.',
      examples: [['nouveau']],
    }),
    load: moduleList.meta({
      description: 'Modules that are loaded at each boot.',
      examples: [['vfio-pci']],
    }),
    disableIdleD3: z.boolean().prefault(false).meta({
      description: 'vfio-pci leaves unused devices powered: some do not come back from D3.',
    }),
    unsafeInterrupts: z.boolean().prefault(false).meta({
      description:
        'Passthrough without interrupt remapping, by which a guest can reach the host; needs allow: [unsafe-interrupts].',
    }),
  })
  .superRefine((modules, context) => {
    reportAll(context, modulesProblems(modules));
  })
  .meta({ examples: [{ blacklist: ['nouveau'] }] });

function modulesProblems({ blacklist, load }: ModulesTarget): Contradiction[] {
  const repeated = (['blacklist', 'load'] as const).flatMap((list) =>
    twins(list === 'load' ? load : blacklist).map(({ at }) => ({
      path: [list, at],
      message: 'stands here twice',
    })),
  );
  const both = load.flatMap((name, at) =>
    blacklist.includes(name) ? [{ path: ['load', at], message: 'is in blacklist too' }] : [],
  );
  const ours = blacklist.flatMap((name, at) =>
    name.startsWith('vfio') ? [{ path: ['blacklist', at], message: NEEDED }] : [],
  );
  return [...repeated, ...both, ...ours];
}

const NEEDED = 'is what passthrough works with';

/** Whether a parsed target asks anything of modules. */
export function asksModules(modules: ModulesTarget): boolean {
  const { blacklist, load, disableIdleD3, unsafeInterrupts } = modules;
  return blacklist.length + load.length > 0 || disableIdleD3 || unsafeInterrupts;
}
