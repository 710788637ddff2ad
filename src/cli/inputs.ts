import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { HostConnection, HostEntry } from '../domain/host-entry.ts';
import type { Spec } from '../domain/spec.ts';
import { loadCapture } from '../facts/capture.ts';
import type { Snapshot } from '../facts/snapshot.ts';
import type { HostScope } from '../domain/target-for.ts';
import { hostScopes, type ScopeProblem } from '../schema/host-scopes.ts';
import { selectHosts, type Inventory } from '../schema/host-pattern.ts';
import type { LoadedInventory } from '../schema/inventory/host-entries.ts';
import { loadInventoryFromCommand } from '../schema/inventory/inventory-command.ts';
import { loadInventory } from '../schema/inventory/load-inventory.ts';
import { formatProblem, type Problem } from '../schema/problem.ts';
import { parseSpec } from '../schema/spec.ts';
import { omit } from './omit.ts';
import { CliError, sentenceOf } from './outcome.ts';
import { readSpecText } from './read-spec-text.ts';

/** A spec that was read from a file, and the lawful but surprising things in it. */
export interface SpecFile {
  /** Absolute path. */
  readonly path: string;
  readonly spec: Spec;
  readonly warnings: readonly string[];
  /** What shows only with the inventory, on one line with its place in the file. */
  readonly placed: (problem: ScopeProblem) => string;
}

/** Reads and parses a spec. Throws a CliError `usage` that lists every problem with its place. */
export async function readSpec(file: string): Promise<SpecFile> {
  const parsed = parseSpec(await readSpecText(file), file);
  if (!parsed.ok) {
    throw problemsError(parsed.problems, `mend ${file} and check it again: vfleet check ${file}`);
  }
  return {
    path: resolve(file),
    spec: parsed.spec,
    warnings: parsed.warnings.map(formatProblem),
    placed: (problem) => formatProblem(parsed.problemAt(problem.path, problem.message)),
  };
}

/** The hosts that a spec selects, and what of its target holds on each of them. */
export interface SelectedHosts {
  /** In the inventory's order. */
  readonly hosts: readonly HostEntry[];
  /** By the hosts' names; empty when nothing of the target differs between hosts. */
  readonly scopes: ReadonlyMap<string, HostScope>;
  readonly warnings: readonly string[];
}

/**
 * The hosts that a spec selects from its inventory, each with its scope. Throws a CliError `usage` (also for host variables
 * that hosts lack), or the signal's reason once that is aborted.
 */
export async function hostsOf(file: SpecFile, signal: AbortSignal): Promise<SelectedHosts> {
  const { inventory, select } = file.spec.hosts;
  const folder = dirname(file.path);
  const loaded =
    'command' in inventory
      ? await runInventory(inventory.command, folder, signal)
      : await readInventory(resolve(folder, inventory.path), file.path);
  const next =
    'command' in inventory
      ? 'run its command yourself: it prints the hosts and groups there are'
      : listHosts(resolve(folder, inventory.path));
  const hosts = selectFrom(loaded, select, `${file.path}: hosts.select`, next);
  const { scopes, warnings } = scopesOf(file, loaded, hosts);
  return { hosts, scopes, warnings: [...file.warnings, ...loaded.warnings, ...warnings] };
}

function scopesOf(
  { path, spec, placed }: SpecFile,
  inventory: Inventory,
  hosts: readonly HostEntry[],
): Pick<SelectedHosts, 'scopes' | 'warnings'> {
  const read = hostScopes(spec.target, inventory, hosts);
  if (read.ok) return { scopes: read.scopes, warnings: read.warnings.map(placed) };
  throw new CliError(
    'usage',
    read.problems.map(placed).join('\n'),
    `mend the spec or the inventory, and check again: vfleet check ${path}`,
  );
}

const RUN_IT_YOURSELF = "run the command yourself in the spec's folder, mend it, and check again";

async function runInventory(
  command: readonly [string, ...string[]],
  folder: string,
  signal: AbortSignal,
): Promise<ReadInventory> {
  const loaded = await loadInventoryFromCommand(command, folder, { signal });
  signal.throwIfAborted();
  return inventoryOf(loaded, RUN_IT_YOURSELF);
}

type ReadInventory = Inventory & { readonly warnings: readonly string[] };

/**
 * Loads an inventory, a file or a folder. Throws a CliError `usage` that lists every problem; where nothing is there to
 * mend, it leads to `hosts.inventory` of the spec that named it.
 */
export async function readInventory(path: string, spec?: string): Promise<ReadInventory> {
  const next =
    spec !== undefined && !existsSync(path)
      ? `mend hosts.inventory in ${spec}, a path from the spec's folder, and check again: vfleet check ${spec}`
      : `mend it and look again: vfleet inventory -i ${path}`;
  return inventoryOf(await loadInventory(path), next);
}

function inventoryOf(loaded: LoadedInventory, next: string): ReadInventory {
  if (!loaded.ok) throw problemsError(loaded.problems, next);
  return { ...loaded.inventory, warnings: loaded.warnings.map(formatProblem) };
}

function listHosts(path: string): string {
  return `vfleet inventory -i ${path} lists its hosts and groups`;
}

/** The hosts that a pattern selects. Throws a CliError `usage` with what is wrong in the pattern; `where` is what has it. */
export function selectFrom(
  inventory: Inventory,
  pattern: string,
  where: string,
  next = listHosts(where),
): readonly HostEntry[] {
  const selected = selectHosts(inventory, pattern);
  if (selected.ok) return selected.hosts;
  throw new CliError(
    'usage',
    selected.messages.map((message) => `${where}: ${message}`).join('\n'),
    next,
  );
}

/** One host by its name. Throws a CliError `usage`. */
export async function hostNamed(path: string, name: string): Promise<HostEntry> {
  const inventory = await readInventory(path);
  const host = inventory.hosts.find((one) => one.name === name);
  if (host !== undefined) return host;
  const [similar] = selectFrom(inventory, name, path);
  throw new CliError(
    'usage',
    `"${name}" is not one host of ${path}.`,
    similar === undefined ? 'name one host' : `name one host, e.g. ${similar.name}`,
  );
}

/** What is needed to reach a host, without its groups and labels. */
export function connectionOf(entry: HostEntry): HostConnection {
  return omit(entry, 'groups', 'labels');
}

/** What a capture holds. Throws a CliError `usage` for a folder that is none. */
export async function readCapture(dir: string): Promise<Snapshot> {
  try {
    return await loadCapture(dir);
  } catch (error) {
    const next = 'name a folder that "vfleet capture HOST DIR -i INVENTORY" has written';
    throw new CliError('usage', sentenceOf(error), next, { cause: error });
  }
}

function problemsError(problems: readonly Problem[], next: string): CliError {
  return new CliError('usage', problems.map(formatProblem).join('\n'), next);
}
