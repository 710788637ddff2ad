import { z } from 'zod';
import type { WaveSpec } from '../domain/spec.ts';
import { duration, idName, share, wholeNumber } from './scalars.ts';

const DAY_MS = 86_400_000;

/** Most waves in one rollout. */
const WAVES_MAX = 100;
/** Most hosts in one rollout (DESIGN, law 11, speaks of 10,000; the rest is room). */
const HOSTS_MAX = 100_000;

const waveSchema = z
  .strictObject({
    name: idName().meta({ description: 'Its name in status and in messages.' }),
    hosts: wholeNumber(1, HOSTS_MAX)
      .optional()
      .meta({ description: 'So many hosts more; with each: kind, of each kind.' }),
    upTo: share('0 adds no host; leave the wave out')
      .optional()
      .meta({ description: 'Up to this share or number of all hosts that have changes.' }),
    each: z.enum(['kind', 'none']).optional().meta({
      description: 'With hosts: N: N of each kind (kind), or N in all (none). First wave: kind.',
    }),
    maxFailures: share().optional().meta({
      description: 'How many hosts of it may fail before no new one starts. First wave: 0.',
    }),
    bake: duration(0, 30 * DAY_MS)
      .prefault('0')
      .meta({ description: 'How long it is observed after its last host.' }),
    promote: z
      .enum(['manual', 'auto'])
      .prefault('auto')
      .meta({ description: 'Whether a person lets the next wave begin.' }),
  })
  .superRefine((wave, context) => {
    const report = (path: string[], message: string): void =>
      context.addIssue({ code: 'custom', path, message });
    const sizes = [wave.hosts, wave.upTo].filter((size) => size !== undefined).length;
    if (sizes === 0) report([], 'has no size; write hosts: 1 or upTo: 10%');
    if (sizes === 2) report(['upTo'], 'stands beside hosts; write one of the two');
    if (wave.upTo !== undefined && wave.each !== undefined) {
      report(['each'], 'goes with hosts: N; a wave with upTo takes hosts in their order');
    }
  })
  .meta({
    examples: [{ name: 'canary', hosts: 1 }],
    oneOf: [{ required: ['hosts'] }, { required: ['upTo'] }],
    not: { required: ['upTo', 'each'] },
  });

type WaveInput = z.output<typeof waveSchema>;

/** `waves`: ordered shares of the hosts that have changes; the last one must reach all of them. */
export const wavesSchema = z
  .array(waveSchema)
  .min(1, { error: 'is empty; leave it out for a canary and the rest' })
  .max(WAVES_MAX)
  .superRefine((waves, context) => {
    for (const [index, wave] of waves.entries()) {
      const earlier = waves.slice(0, index);
      const twin = earlier.findIndex(({ name }) => name === wave.name);
      if (twin !== -1) {
        const message = `"${wave.name}" is the name of waves.${twin} too`;
        context.addIssue({ code: 'custom', path: [index, 'name'], message });
      }
      const useless = uselessAfter(earlier, wave);
      if (useless === undefined) continue;
      const size = wave.upTo === undefined ? 'hosts' : 'upTo';
      context.addIssue({ code: 'custom', path: [index, size], message: useless });
    }
    const message = endProblem(waves);
    if (message === undefined) return;
    context.addIssue({ code: 'custom', path: [waves.length - 1], message });
  })
  .meta({
    examples: [
      [
        { name: 'canary', hosts: 1 },
        { name: 'fleet', upTo: '100%' },
      ],
    ],
  });

/** A partial rollout that reads "done" is a trap; who wants a part selects it. */
function endProblem(waves: readonly WaveInput[]): string | undefined {
  const last = waves.at(-1);
  // One that stands before the last is told as what leaves no host to those after it.
  if (last === undefined || waves.some(reachesAll)) return undefined;
  const must = 'is the last wave and must end with upTo: 100%';
  if (last.upTo?.kind === 'count' && last.upTo.count === 100) {
    return `${must}; upTo: 100 is 100 hosts; did you mean 100%?`;
  }
  return `${must}; use hosts.select for fewer hosts`;
}

function reachesAll(wave: WaveInput): boolean {
  return wave.upTo?.kind === 'percent' && wave.upTo.percent === 100;
}

/** Why a wave can never have a host after those before it; counts and shares cannot be compared before a plan. */
function uselessAfter(earlier: readonly WaveInput[], wave: WaveInput): string | undefined {
  const all = earlier.find(reachesAll);
  if (all !== undefined) return `has no host left, since ${all.name} before it goes up to 100%`;
  if (wave.upTo === undefined) return undefined;
  for (const { name, upTo } of earlier) {
    if (upTo?.kind !== wave.upTo.kind) continue;
    if (amount(upTo) < amount(wave.upTo)) continue;
    return `goes no further than ${name}; shares are cumulative, so each must be larger`;
  }
  return undefined;
}

function amount(size: NonNullable<WaveInput['upTo']>): number {
  return size.kind === 'count' ? size.count : size.percent;
}

/** The waves of a spec that names none: one host of each kind, watched and promoted by a person; then the rest. */
export const DEFAULT_WAVES: readonly z.input<typeof waveSchema>[] = [
  { name: 'canary', hosts: 1, each: 'kind', maxFailures: 0, bake: '10m', promote: 'manual' },
  { name: 'fleet', upTo: '100%' },
];

/** Fills in what depends on a wave's position: the first one takes one of each kind and allows no failure. */
export function toWave(wave: WaveInput, index: number): WaveSpec {
  const maxFailures =
    wave.maxFailures ?? (index === 0 ? { kind: 'count' as const, count: 0 } : undefined);
  const each = wave.each ?? (index === 0 ? 'kind' : 'none');
  return {
    name: wave.name,
    size:
      wave.upTo === undefined
        ? { kind: 'add', hosts: wave.hosts ?? 1, each: each === 'kind' ? 'kind' : null }
        : { kind: 'upTo', share: wave.upTo },
    ...(maxFailures === undefined ? {} : { maxFailures }),
    bakeMs: wave.bake,
    promote: wave.promote,
  };
}
