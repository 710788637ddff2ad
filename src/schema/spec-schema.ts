import { z } from 'zod';
import { compact } from '../domain/compact.ts';
import type { Hook, InventorySource, Owner, Spec } from '../domain/spec.ts';
import { duration, hostPattern, idName, line, share, wholeNumber } from './scalars.ts';
import { allowSchema, targetSchema, toTarget } from './target-schema.ts';
import { DEFAULT_WAVES, toWave, wavesSchema } from './waves-schema.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** Version of the spec's format that this release reads. */
export const SPEC_VERSION = 1;
/** Most hosts worked on at once, whatever a spec says (DESIGN, law 11). */
const PARALLEL_MAX = 500;
const HOOK_ARGS_MAX = 64;

const ownerSchema = z
  .strictObject({
    team: line().optional(),
    contact: line().optional(),
    ticket: line().optional(),
  })
  .meta({ examples: [{ team: 'netplat', contact: '#netplat', ticket: 'CHG-4711' }] });

/** One word of a command, which is run as it is written, without a shell. */
const argument = z
  .string()
  .refine((text) => !/[\0\n\r]/.test(text), { error: 'holds a line break, which no argument may' })
  .meta({ pattern: '^[^\\n\\r]*$' });

const inventorySchema = z.union(
  [
    z
      .string()
      .refine((path) => path !== '' && !path.includes('\0'), {
        error: 'expected the path of a file or folder, relative to this file',
      })
      .meta({ minLength: 1 }),
    z.strictObject({
      command: z.tuple([argument.min(1, { error: 'names no program' })], argument),
    }),
  ],
  { error: 'expected the path of a file or folder, or { command: [PROGRAM, ARGUMENT, ...] }' },
);

const hostsSchema = z
  .strictObject({
    inventory: inventorySchema.meta({
      description:
        'Where the hosts are listed: a file or folder, relative to this file, or a command that prints `ansible-inventory --list` JSON.',
      examples: ['inventory.ini'],
    }),
    select: hostPattern()
      .prefault('all')
      .meta({ description: 'Which of them: a host pattern as Ansible reads it.', minLength: 1 }),
  })
  .meta({ examples: [{ inventory: 'inventory.ini', select: 'all' }] });

const limitsSchema = z
  .strictObject({
    parallel: wholeNumber(1, PARALLEL_MAX)
      .prefault(20)
      .meta({ description: 'Most hosts worked on at once.' }),
    maxUnavailable: share('0 would let no host start')
      .prefault('5%')
      .meta({ description: 'Most hosts down at once, for whatever reason.' }),
    maxFailures: share()
      .prefault('2%')
      .meta({ description: 'Most hosts that may fail before no new one starts.' }),
  })
  .meta({ examples: [{ maxFailures: '2%' }] });

function hookSchema(defaultTimeout: string) {
  return z
    .strictObject({
      on: z
        .enum(['worker', 'host'])
        .meta({ description: 'worker: a file of its hooks folder; host: a program there.' }),
      run: z
        .tuple([argument], argument)
        .refine((run) => run.length <= HOOK_ARGS_MAX, { error: 'has more than 64 arguments' })
        .meta({ description: 'The program and its arguments; no shell.', maxItems: HOOK_ARGS_MAX }),
      timeout: duration(1_000, DAY_MS).prefault(defaultTimeout),
    })
    .superRefine((hook, context) => {
      const [program] = hook.run;
      if (hook.on !== 'worker' || /^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(program)) return;
      const message = `"${program}" is not the name of a file in the worker's hooks folder; write the name, not a path`;
      context.addIssue({ code: 'custom', path: ['run', 0], message });
    })
    .meta({ examples: [{ on: 'host', run: ['systemctl', 'is-active', 'libvirtd'] }] });
}

const hooksSchema = z
  .strictObject({
    drain: hookSchema('30m').optional().meta({ description: 'Empties a host of its guests.' }),
    undrain: hookSchema('10m').optional().meta({ description: 'Gives a host back to service.' }),
    health: hookSchema('2m')
      .optional()
      .meta({ description: 'Says by exit 0 that a host is well.' }),
  })
  .meta({ examples: [{ drain: { on: 'worker', run: ['drain'] } }] });

/** Law 1: an unproven kernel line is booted only on trial. So `trial` may be written, and nothing behind the parser asks for it. */
const NO_TRIAL =
  'false would make a kernel line the default before it was proven, and a host that does not start by it is lost; remove this. ' +
  'Where a host cannot boot on trial, plan says what to do about it';

const rebootSchema = z
  .strictObject({
    timeout: duration(MINUTE_MS, DAY_MS)
      .prefault('20m')
      .meta({ description: 'How long a host may be away.' }),
    trial: z
      .boolean()
      .refine((trial) => trial, { error: NO_TRIAL })
      .prefault(true)
      .meta({
        description: 'Boot a new kernel line once, with the old one still the default.',
        const: true,
      }),
  })
  .meta({ examples: [{ timeout: '20m' }] });

/** A spec as a person writes it; what this release does not build is in not-yet.ts. */
export const specSchema = z
  .strictObject({
    version: z
      .literal(SPEC_VERSION, { error: `this release reads version ${SPEC_VERSION}` })
      .prefault(SPEC_VERSION)
      .meta({ description: "Version of the spec's format." }),
    name: idName().meta({
      description:
        'Name of the rollouts of this spec; the engine numbers them: NAME#1, NAME#2, ...',
      examples: ['enable-iommu'],
    }),
    owner: ownerSchema.prefault({}).meta({ description: 'Whom to ask; shown in status.' }),
    hosts: hostsSchema.meta({ description: 'Which hosts; frozen at start.' }),
    target: targetSchema.meta({ description: 'The desired state of every host.' }),
    waves: wavesSchema.prefault([...DEFAULT_WAVES]).meta({
      description:
        'Ordered shares of the hosts that have changes; the last one reaches all of them.',
    }),
    limits: limitsSchema.prefault({}).meta({ description: 'Budgets of the whole rollout.' }),
    hooks: hooksSchema.prefault({}).meta({ description: 'Programs of yours, run at each host.' }),
    reboot: rebootSchema.prefault({}).meta({ description: 'How hosts reboot.' }),
    onHostFailure: z
      .enum(['hold', 'rollback'])
      .prefault('hold')
      .meta({ description: 'What becomes of a host that fails.' }),
    onBudgetSpent: z
      .enum(['pause', 'rollback'])
      .prefault('pause')
      .meta({ description: 'What becomes of the rollout when its failure budget is spent.' }),
    allow: allowSchema.meta({
      description: 'What you take responsibility for, by name; without it vfleet refuses.',
    }),
  })
  .superRefine(({ target, allow }, context) => {
    if (!target.modules.unsafeInterrupts || allow.includes('unsafe-interrupts')) return;
    context.addIssue({
      code: 'custom',
      path: ['target', 'modules', 'unsafeInterrupts'],
      message: 'lets a guest send interrupts to the host; it needs allow: [unsafe-interrupts]',
    });
  });

type SpecInput = z.output<typeof specSchema>;

/** The domain's spec from a parsed one. */
export function toSpec(input: SpecInput): Spec {
  return {
    name: input.name,
    owner: compact(input.owner) satisfies Owner,
    hosts: { inventory: toSource(input.hosts.inventory), select: input.hosts.select },
    target: toTarget(input.target, input.allow),
    waves: input.waves.map(toWave),
    limits: input.limits,
    hooks: compact({
      drain: toHook(input.hooks.drain),
      undrain: toHook(input.hooks.undrain),
      health: toHook(input.hooks.health),
    }),
    reboot: { timeoutMs: input.reboot.timeout },
    onHostFailure: input.onHostFailure,
    onBudgetSpent: input.onBudgetSpent,
  };
}

function toSource(inventory: SpecInput['hosts']['inventory']): InventorySource {
  return typeof inventory === 'string' ? { path: inventory } : inventory;
}

function toHook(hook: SpecInput['hooks']['drain']): Hook | undefined {
  return hook === undefined ? undefined : { on: hook.on, run: hook.run, timeoutMs: hook.timeout };
}
