/** Pure rules about kernel command lines: lists of arguments, and what the IOMMU ones among them amount to. */

/**
 * Splits a command line as the kernel does (lib/cmdline.c, next_arg): white space separates, except between
 * double quotes, and there is no escape. Quotes stay in the argument, so that it can be compared and written
 * back byte for byte; an unclosed quote reaches to the end.
 */
export function tokenise(line: string): string[] {
  const tokens: string[] = [];
  let token = '';
  let quoted = false;
  for (const character of line) {
    if (!quoted && KERNEL_SPACE.test(character)) {
      if (token !== '') tokens.push(token);
      token = '';
      continue;
    }
    if (character === '"') quoted = !quoted;
    token += character;
  }
  if (token !== '') tokens.push(token);
  return tokens;
}

/** The kernel's isspace: blank, tab to carriage return, and 0xA0 (lib/ctype.c). */
const KERNEL_SPACE = /[ \t\n\v\f\r\u00a0]/;

/** The name of an argument, with `-` as `_`: the kernel takes the two for the same (kernel/params.c, parameq). */
export function kernelArgName(arg: string): string {
  return arg.replace(/^"/, '').split('=', 1).join('').replaceAll('-', '_');
}

/** The value of an argument without quotes around it, or `undefined` for a bare flag. */
export function kernelArgValue(arg: string): string | undefined {
  const bare = arg.startsWith('"') ? arg.slice(1).replace(/"$/, '') : arg;
  const equals = bare.indexOf('=');
  return equals === -1 ? undefined : bare.slice(equals + 1).replace(/^"(.*)"$/s, '$1');
}

/** Whether two arguments mean the same to the kernel: same name, dashes aside, and same value. */
export function sameKernelArg(one: string, other: string): boolean {
  return (
    kernelArgName(one) === kernelArgName(other) && kernelArgValue(one) === kernelArgValue(other)
  );
}

/** What to put on a command line and what to take off it. */
export interface ArgsDelta {
  readonly add: readonly string[];
  readonly drop: readonly string[];
}

/**
 * The command line after a change: every occurrence of a dropped argument goes, the others keep their order,
 * and an added one goes to the end unless it is there already and still counts (no later IOMMU argument
 * takes it back). Those of huge pages count by their order, so they are there as one block or not at all. Doing it twice
 * gives the same as once.
 */
export function applyArgs(args: readonly string[], delta: ArgsDelta): string[] {
  const pages = delta.add.filter(isPageArg);
  const hasPages = pages.length > 0 && sameArgs(args.filter(isPageArg), pages);
  const result = args.filter(
    (arg) =>
      (hasPages && isPageArg(arg)) || !delta.drop.some((dropped) => sameKernelArg(arg, dropped)),
  );
  for (const added of delta.add) {
    if (isPageArg(added) ? !hasPages : !isInForce(result, added)) result.push(added);
  }
  return result;
}

const PAGE_ARGS: ReadonlySet<string> = new Set(['hugepages', 'hugepagesz']);

/** Whether an argument is one of a pair `hugepagesz=SIZE hugepages=COUNT`: the count is of the size before it. */
export const isPageArg = (arg: string): boolean => PAGE_ARGS.has(kernelArgName(arg));

function isInForce(args: readonly string[], wanted: string): boolean {
  const last = args.findLastIndex((arg) => sameKernelArg(arg, wanted));
  return last !== -1 && !args.slice(last + 1).some((later) => opposingArgs(later, wanted));
}

/** Whether two arguments ask for opposite things of the IOMMU or of its default domain type. */
export function opposingArgs(one: string, other: string): boolean {
  const [first, second] = [iommuWords(one), iommuWords(other)];
  const differ = (a: string | undefined, b: string | undefined): boolean =>
    a !== undefined && b !== undefined && a !== b;
  return differ(first.power, second.power) || differ(first.domain, second.domain);
}

/**
 * Whether a command line turns the IOMMU on or off, or leaves it to the kernel's default.
 *
 * Intel: the last `on` or `off` among the words of all `intel_iommu=` counts; `sm_on` and the like turn nothing
 * on (drivers/iommu/intel/iommu.c, intel_iommu_setup). AMD: there is only `amd_iommu=off`, which nothing takes
 * back, and `amd_iommu=on` is an unknown option (drivers/iommu/amd/init.c). `iommu=off` turns both off for good
 * (arch/x86/kernel/pci-dma.c, no_iommu).
 */
export function effectiveIommu(
  args: readonly string[],
  vendor: 'intel' | 'amd' | 'other',
): 'on' | 'off' | 'default' {
  let verdict: 'on' | 'off' | 'default' = 'default';
  for (const arg of kernelsPart(args)) {
    const name = kernelArgName(arg);
    const { power } = iommuWords(arg);
    if (power === undefined) continue;
    if (name === 'iommu' || (name === 'amd_iommu' && vendor === 'amd')) {
      if (power === 'off') return 'off';
    } else if (name === 'intel_iommu' && vendor === 'intel') verdict = power;
  }
  return verdict;
}

/**
 * Whether host drivers bypass translation: the last of `iommu=pt`, `iommu=nopt` and `iommu.passthrough=` counts
 * (arch/x86/kernel/pci-dma.c and drivers/iommu/iommu.c set the same variable, in the order of the line).
 */
export function effectivePassthrough(args: readonly string[]): 'pt' | 'nopt' | 'default' {
  let verdict: 'pt' | 'nopt' | 'default' = 'default';
  for (const arg of kernelsPart(args)) verdict = iommuWords(arg).domain ?? verdict;
  return verdict;
}

/** Arguments after `--` go to init; the kernel does not read them (kernel/params.c, parse_args). */
function kernelsPart(args: readonly string[]): readonly string[] {
  const end = args.indexOf('--');
  return end === -1 ? args : args.slice(0, end);
}

interface IommuWords {
  power?: 'on' | 'off';
  domain?: 'pt' | 'nopt';
}

/** What one argument says of the IOMMU; the words of a list are read in order, by prefix, as the kernel does. */
function iommuWords(arg: string): IommuWords {
  const name = kernelArgName(arg);
  const value = kernelArgValue(arg);
  if (value === undefined) return {};
  if (name === 'iommu.passthrough') return passthroughWord(value);
  const words: IommuWords = {};
  for (const word of value.split(',')) Object.assign(words, oneWord(name, word));
  return words;
}

function oneWord(name: string, word: string): IommuWords {
  if (IOMMU_SWITCHES.has(name) && word.startsWith('off')) return { power: 'off' };
  if (name === 'intel_iommu' && word.startsWith('on')) return { power: 'on' };
  if (name !== 'iommu') return {};
  if (word.startsWith('pt')) return { domain: 'pt' };
  return word.startsWith('nopt') ? { domain: 'nopt' } : {};
}

const IOMMU_SWITCHES: ReadonlySet<string> = new Set(['intel_iommu', 'amd_iommu', 'iommu']);

/** The kernel's kstrtobool: the first letter decides, and for `o` the second. */
function passthroughWord(value: string): IommuWords {
  if (/^(?:[yYtT1]|[oO][nN])/.test(value)) return { domain: 'pt' };
  return /^(?:[nNfF0]|[oO][fF])/.test(value) ? { domain: 'nopt' } : {};
}

/** Whether two lines hold the same arguments in the same order. */
export function sameArgs(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((arg, at) => arg === b[at]);
}

/** Whether two lines hold the same arguments in any order: a trial's differ from the default's in where the added ones stand. */
export function sameArgSet(a: readonly string[], b: readonly string[]): boolean {
  return sameArgs([...a].sort(), [...b].sort());
}
