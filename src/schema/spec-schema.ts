import { z } from 'zod';
import type { Hook, Owner, Spec, Target } from '../domain/spec.ts';
import { hostPatternProblem } from './host-pattern.ts';
import { contradictions, kernelArgsSchema } from './kernel-args-schema.ts';
import { duration, idName, line, share, wholeNumber } from './scalars.ts';
import { DEFAULT_WAVES, toWave, wavesSchema } from './waves-schema.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** Version of the spec's format that this release reads. */
export const SPEC_VERSION = 1;
/** Most hosts worked on at once, whatever a spec says (DESIGN, law 11). */
const PARALLEL_MAX = 500;
const HOOK_ARGS_MAX = 64;

const ownerSchema = z.strictObject({
  team: line().optional(),
  contact: line().optional(),
  ticket: line().optional(),
});

const hostsSchema = z.strictObject({
  inventory: z
    .string({ error: (issue) => (isMapping(issue.input) ? NO_COMMAND : undefined) })
    .refine((path) => path !== '' && !path.includes('\0'), {
      error: 'expected the path of a file, relative to this one',
    }),
  select: z
    .string()
    .prefault('all')
    .superRefine((pattern, context) => {
      const message = hostPatternProblem(pattern);
      if (message !== undefined) context.addIssue({ code: 'custom', message });
    }),
});

const NO_COMMAND =
  'not yet: an inventory from a command is not built in this release; write the path of a file';

function isMapping(input: unknown): boolean {
  return typeof input === 'object' && input !== null && !Array.isArray(input);
}

const targetSchema = z
  .strictObject({
    iommu: z.enum(['enabled', 'disabled']).optional(),
    hostDma: z.enum(['passthrough', 'translated']).optional(),
    kernelArgs: kernelArgsSchema.prefault({}),
  })
  .superRefine((target, context) => {
    for (const { path, message } of contradictions(target)) {
      context.addIssue({ code: 'custom', path: [...path], message });
    }
    const { present, absent } = target.kernelArgs;
    const asked = [target.iommu, target.hostDma, ...present, ...absent];
    if (asked.some((part) => part !== undefined)) return;
    const message = 'asks for nothing; name iommu, hostDma or kernelArgs';
    context.addIssue({ code: 'custom', message });
  });

const limitsSchema = z.strictObject({
  parallel: wholeNumber(1, PARALLEL_MAX).prefault(20),
  maxUnavailable: share('0 would let no host start').prefault('5%'),
  maxFailures: share().prefault('2%'),
});

const hookArg = z.string().refine((text) => !/[\0\n\r]/.test(text), {
  error: 'holds a line break, which no argument may',
});

function hookSchema(defaultTimeout: string) {
  return z
    .strictObject({
      on: z.enum(['worker', 'host']),
      run: z
        .tuple([hookArg], hookArg)
        .refine((run) => run.length <= HOOK_ARGS_MAX, { error: 'has more than 64 arguments' }),
      timeout: duration(1_000, DAY_MS).prefault(defaultTimeout),
    })
    .superRefine((hook, context) => {
      const [program] = hook.run;
      if (hook.on !== 'worker' || /^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(program)) return;
      const message = `"${program}" is not the name of a file in the worker's hooks folder; write the name, not a path`;
      context.addIssue({ code: 'custom', path: ['run', 0], message });
    });
}

const hooksSchema = z.strictObject({
  drain: hookSchema('30m').optional(),
  undrain: hookSchema('10m').optional(),
  health: hookSchema('2m').optional(),
});

/** A spec as a person writes it; what this release does not build is in not-yet.ts. */
export const specSchema = z.strictObject({
  version: z
    .literal(SPEC_VERSION, { error: `this release reads version ${SPEC_VERSION}` })
    .prefault(SPEC_VERSION),
  name: idName(),
  owner: ownerSchema.prefault({}),
  hosts: hostsSchema,
  target: targetSchema,
  waves: wavesSchema.prefault([...DEFAULT_WAVES]),
  limits: limitsSchema.prefault({}),
  hooks: hooksSchema.prefault({}),
  reboot: z
    .strictObject({
      timeout: duration(MINUTE_MS, DAY_MS).prefault('20m'),
      trial: z.boolean().prefault(true),
    })
    .prefault({}),
  onHostFailure: z.enum(['hold', 'rollback']).prefault('hold'),
  onBudgetSpent: z.enum(['pause', 'rollback']).prefault('pause'),
});

type SpecInput = z.output<typeof specSchema>;

/** The domain's spec from a parsed one. */
export function toSpec(input: SpecInput): Spec {
  return {
    name: input.name,
    owner: withoutUndefined(input.owner) satisfies Owner,
    hosts: { inventory: { path: input.hosts.inventory }, select: input.hosts.select },
    target: withoutUndefined(input.target) satisfies Target,
    waves: input.waves.map(toWave),
    limits: input.limits,
    hooks: withoutUndefined({
      drain: toHook(input.hooks.drain),
      undrain: toHook(input.hooks.undrain),
      health: toHook(input.hooks.health),
    }),
    reboot: { timeoutMs: input.reboot.timeout, trial: input.reboot.trial },
    onHostFailure: input.onHostFailure,
    onBudgetSpent: input.onBudgetSpent,
  };
}

function toHook(hook: SpecInput['hooks']['drain']): Hook | undefined {
  return hook === undefined ? undefined : { on: hook.on, run: hook.run, timeoutMs: hook.timeout };
}

/** Properties that may be left out, instead of being `undefined`. */
type Without<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

function withoutUndefined<T extends object>(input: T): Without<T> {
  const entries = Object.entries(input).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Without<T>;
}
