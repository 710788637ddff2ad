import { nearest } from './nearest.ts';

/** What people write for a value, by the end of its path, who know other tools; and what it is called here. */
const WORDS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  iommu: {
    on: 'enabled',
    yes: 'enabled',
    true: 'enabled',
    off: 'disabled',
    no: 'disabled',
    false: 'disabled',
  },
  hostDma: { pt: 'passthrough', nopt: 'translated', on: 'translated', strict: 'translated' },
  promote: { automatic: 'auto', person: 'manual', wait: 'manual' },
  on: {
    local: 'worker',
    localhost: 'worker',
    controller: 'worker',
    remote: 'host',
    target: 'host',
  },
  size: { '1gb': '1G', '1gib': '1G', '2mb': '2M', '2mib': '2M', 1048576: '1G', 2048: '2M' },
  at: { run: 'runtime', now: 'runtime', 'run-time': 'runtime', static: 'boot' },
  guarded: { ignore: 'skip', block: 'refuse', fail: 'refuse', error: 'refuse' },
  functions: { slot: 'all', one: 'matched' },
  driver: { vfio: 'vfio-pci', vfio_pci: 'vfio-pci', kernel: 'native', host: 'native' },
  bind: { driver_override: 'override', driverctl: 'override', id: 'ids' },
  confined: { true: 'required', yes: 'required', false: 'recorded', no: 'recorded' },
  pin: { true: 'device-node', node: 'device-node', numa: 'device-node', false: 'as-found' },
  onHostFailure: { pause: 'hold', stop: 'hold', undo: 'rollback', revert: 'rollback' },
  onBudgetSpent: { hold: 'pause', stop: 'pause', undo: 'rollback', revert: 'rollback' },
};

/** The one of a few allowed values that somebody probably meant; `name` is the key it stands under. */
export function meantValue(
  name: string,
  found: unknown,
  allowed: readonly string[],
): string | undefined {
  if (typeof found !== 'string' && typeof found !== 'boolean') return undefined;
  const word = String(found).toLowerCase();
  return WORDS[name]?.[word] ?? nearest(word, allowed);
}

/** `true` or `false` as YAML 1.1, INI files and quotes have them. */
export function meantBoolean(found: unknown): 'true' | 'false' | undefined {
  const word = String(found).toLowerCase();
  if (['true', 'yes', 'on', 'y', '1'].includes(word)) return 'true';
  return ['false', 'no', 'off', 'n', '0'].includes(word) ? 'false' : undefined;
}

/**
 * The list that a text of words was probably meant to be: a command line, or arguments pasted from GRUB's
 * configuration with its name and quotes.
 */
export function meantList(found: unknown): string | undefined {
  if (typeof found !== 'string') return undefined;
  const text = found.replace(/^\s*GRUB_CMDLINE_LINUX\w*=/, '').replaceAll(/^["'\s]+|["'\s]+$/g, '');
  const words = text.split(/[\s,]+/);
  const isPlain = words.every((word) => /^[\w./:=@+-]+$/.test(word));
  return isPlain && text.length <= 200 ? `[${words.join(', ')}]` : undefined;
}

/** How a sentence ends in a guess. What was meant is asked, never assumed. */
export function asGuess(meant: string | undefined): string {
  return meant === undefined ? '' : `; did you mean ${meant}?`;
}
