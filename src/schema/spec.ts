import type { Allow, Share, Spec } from '../domain/spec.ts';
import { asGuess } from './meant.ts';
import { otherKind } from './other-kind.ts';
import { type Problem, inFileOrder } from './problem.ts';
import { formatDuration } from './quantities.ts';
import { SPEC_VERSION, specSchema, toSpec } from './spec-schema.ts';
import { type YamlText, readYaml } from './yaml-text.ts';
import { zodProblems } from './zod-problems.ts';

/** A spec with what is lawful but surprising in it, or everything that is wrong with the text. */
export type ParsedSpec =
  | {
      readonly ok: true;
      readonly spec: Spec;
      readonly warnings: readonly Problem[];
      /** The place of a part of the spec, for what shows only with its inventory. */
      readonly problemAt: YamlText['problemAt'];
    }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * Parses the text of a spec. Never throws; all problems come back at once, in the order of the file, each with
 * its place. A spec without `version` is read as version 1. Nothing is ignored: an unknown key is an error
 * that names the nearest known one, and a part that this release does not build is refused with "not yet".
 */
export function parseSpec(text: string, fileName: string): ParsedSpec {
  const yaml = readYaml(text, fileName, { version: '1.2' });
  const kind = otherKind(yaml.value, text);
  if (kind !== undefined) return { ok: false, problems: [yaml.problemAt([], kind)] };
  if (yaml.value === undefined) return { ok: false, problems: inFileOrder(yaml.problems) };
  if (yaml.value === null) {
    const message = 'is empty; a spec needs name, hosts and target (see examples/)';
    return { ok: false, problems: [yaml.problemAt([], message)] };
  }
  const version = versionProblem(yaml);
  if (version !== undefined) return { ok: false, problems: [version] };
  const parsed = specSchema.safeParse(yaml.value);
  const issues = parsed.success ? [] : zodProblems(yaml, specSchema, parsed.error.issues);
  const problems = inFileOrder([...yaml.problems, ...issues]);
  if (!parsed.success || problems.length > 0) return { ok: false, problems };
  const spec = toSpec(parsed.data);
  const warnings = inFileOrder(warningsOf(spec, yaml));
  return { ok: true, spec, warnings, problemAt: yaml.problemAt };
}

/** Of another version nothing else can be judged, so that it is said first and alone. */
function versionProblem(yaml: YamlText): Problem | undefined {
  const { value } = yaml;
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, 'version')) {
    return undefined;
  }
  const { version } = value as { readonly version: unknown };
  if (version === SPEC_VERSION || version === null) return undefined;
  const found = JSON.stringify(version);
  const reads = `this release reads version ${SPEC_VERSION} of the format, found ${found}`;
  const isMeant = new RegExp(`^v?${SPEC_VERSION}(\\.0)*$`, 'i').test(found.replaceAll('"', ''));
  return yaml.problemAt(
    ['version'],
    `${reads}${asGuess(isMeant ? String(SPEC_VERSION) : undefined)}`,
  );
}

type Warning = [applies: boolean, path: PropertyKey[], message: string];

/** What a careful colleague would ask about. */
function warningsOf(spec: Spec, yaml: YamlText): Problem[] {
  const { maxFailures, maxUnavailable } = spec.limits;
  const first = spec.waves[0]?.size;
  const timeout = formatDuration(spec.reboot.timeoutMs);
  const warnings: Warning[] = [
    [
      percentOf(maxFailures) >= 50,
      ['limits', 'maxFailures'],
      'lets half of the hosts or more fail before new ones stop',
    ],
    [
      percentOf(maxUnavailable) >= 50,
      ['limits', 'maxUnavailable'],
      'lets half of the hosts or more be down at once',
    ],
    [
      first?.kind === 'upTo' && percentOf(first.share) === 100,
      ['waves', 0, 'upTo'],
      'the first wave is all hosts: there is no canary',
    ],
    [
      spec.reboot.timeoutMs < 300_000,
      ['reboot', 'timeout'],
      `${timeout} is less than many servers need for their firmware alone`,
    ],
    [
      spec.target.modules.unsafeInterrupts,
      ['target', 'modules', 'unsafeInterrupts'],
      'lets a guest send interrupts to the host, by which a hostile one can take it over',
    ],
    ...spec.target.allow.flatMap((name, at): Warning[] => {
      const message = isUseless(name, spec.target) ? USELESS : ALLOWED_HARM[name];
      return message === undefined ? [] : [[true, ['allow', at], message]];
    }),
  ];
  return warnings
    .filter(([applies]) => applies)
    .map(([, path, message]) => yaml.problemAt(path, message));
}

const USELESS = 'allows nothing that this target asks for; take it out';

/** All but one are about devices that entries mean; whether one of them needs it, only a host says. */
function isUseless(name: Allow, { devices, modules }: Spec['target']): boolean {
  return name === 'unsafe-interrupts' ? !modules.unsafeInterrupts : devices.length === 0;
}

/** Of `unsafe-interrupts` it is said where they are asked for; a host without its screen is not lost. */
const ALLOWED_HARM: Readonly<Partial<Record<Allow, string>>> = {
  'ssh-route': 'lets a change take the function that carries SSH: a host may be lost by it',
  'root-disk':
    'lets a change take the function that carries a file system: a host may be lost by it',
};

function percentOf(share: Share): number {
  return share.kind === 'percent' ? share.percent : 0;
}
