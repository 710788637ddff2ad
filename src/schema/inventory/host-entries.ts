import type { HostEntry } from '../../domain/host-entry.ts';
import type { Inventory } from '../host-pattern.ts';
import type { Problem } from '../problem.ts';
import { readConnection } from './ansible-connection.ts';
import type { Findings } from './ansible-yaml.ts';
import type { InventoryTree, TreeHost } from './inventory-tree.ts';
import { isLabelName } from './label-name.ts';
import { isTemplate } from './template.ts';

/** Longest label value, in characters; longer variables are certificates and the like, not labels. */
const LABEL_LENGTH_MAX = 256;

/** An inventory with what is lawful but surprising in it, or everything that is wrong with it. */
export type LoadedInventory =
  | { readonly ok: true; readonly inventory: Inventory; readonly warnings: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Hosts as vfleet uses them from Ansible's groups, hosts and variables; `found` is what was found on the way there. */
export function toInventory(tree: InventoryTree, found: Findings): LoadedInventory {
  const problems = [...found.problems];
  const warnings = [...found.warnings];
  const hosts: HostEntry[] = [];
  const places = new Map<string, TreeHost>();
  for (const host of tree.resolve()) {
    const read = readConnection(host);
    warnings.push(...read.warnings);
    problems.push(...read.problems);
    places.set(host.name, host);
    if (read.connection === undefined) continue;
    hosts.push({ ...read.connection, groups: host.groups, labels: labelsOf(host) });
  }
  for (const { name, place } of tree.ambiguousNames()) {
    const message = `"${name}" is the name of a host and of a group`;
    warnings.push({ ...place, path: '', message });
  }
  problems.push(
    ...twins(hosts).flatMap(({ host, message }): Problem[] => {
      const place = places.get(host.name)?.place;
      return place === undefined ? [] : [{ ...place, path: host.name, message }];
    }),
  );
  if (problems.length > 0) return { ok: false, problems };
  return { ok: true, inventory: { hosts, groups: tree.membership() }, warnings };
}

/** Hosts whose machine an earlier entry names already: two runs on it would meet (law 6). */
export function twins(hosts: readonly HostEntry[]): { host: HostEntry; message: string }[] {
  const seen = new Map<string, HostEntry>();
  const found: { host: HostEntry; message: string }[] = [];
  for (const host of hosts) {
    const via = host.jump === undefined ? '' : ` by ${host.jump.address}:${host.jump.port}`;
    const machine = `${host.address.toLowerCase()}:${host.port}${via}`;
    const other = seen.get(machine);
    if (other === undefined) seen.set(machine, host);
    else {
      const message = `is the same machine as ${other.name} (${machine}); keep one of the two`;
      found.push({ host, message });
    }
  }
  return found;
}

function labelsOf(host: TreeHost): Record<string, string> {
  const labels: [string, string][] = [];
  for (const [name, { value }] of host.vars) {
    if (value.kind !== 'scalar' || !isLabelName(name)) continue;
    if (value.text.length > LABEL_LENGTH_MAX || isTemplate(value.text)) continue;
    labels.push([name, value.text]);
  }
  return Object.fromEntries(labels);
}
