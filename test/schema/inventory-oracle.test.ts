import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Inventory, selectHosts } from '../../src/schema/host-pattern.ts';
import { loadInventory } from '../../src/schema/inventory/load-inventory.ts';
import { formatProblem } from '../../src/schema/problem.ts';

/** What Ansible itself says of the same files; fixtures/regenerate.mjs wrote it. */
interface Oracle {
  readonly list: Readonly<Record<string, Group>> & {
    readonly _meta: { readonly hostvars: Readonly<Record<string, Vars>> };
  };
  readonly patterns: Readonly<Record<string, readonly string[]>>;
}
interface Group {
  readonly hosts?: readonly string[];
  readonly children?: readonly string[];
}
type Vars = Readonly<Record<string, unknown>>;

const FOLDER = 'test/schema/fixtures';
const names = readdirSync(`${FOLDER}/inventories`);

function oracleOf(name: string): Oracle {
  return JSON.parse(readFileSync(`${FOLDER}/expected/${name}.json`, 'utf8')) as Oracle;
}

async function inventoryOf(name: string): Promise<Inventory> {
  const loaded = await loadInventory(`${FOLDER}/inventories/${name}`);
  if (!loaded.ok) throw new Error(loaded.problems.map(formatProblem).join('\n'));
  return loaded.inventory;
}

function hostsBelow(list: Oracle['list'], group: string): string[] {
  const { hosts = [], children = [] } = list[group] ?? {};
  return [...hosts, ...children.flatMap((child) => hostsBelow(list, child))];
}

function scalars(vars: Vars): Record<string, string> {
  const found = Object.entries(vars).filter(
    ([name, value]) =>
      ['string', 'number', 'boolean'].includes(typeof value) && !name.startsWith('ansible_'),
  );
  return Object.fromEntries(found.map(([name, value]) => [name, String(value)]));
}

const sorted = (list: Iterable<string>): string[] => [...new Set(list)].sort();

describe.each(names)('%s is read as Ansible reads it', (name) => {
  const { list, patterns } = oracleOf(name);

  it('has the same hosts in the same groups', async () => {
    const inventory = await inventoryOf(name);
    expect(sorted(inventory.hosts.map((host) => host.name))).toEqual(
      sorted(hostsBelow(list, 'all')),
    );
    for (const group of Object.keys(list).filter((key) => key !== '_meta')) {
      expect([group, sorted(inventory.groups.get(group) ?? [])]).toEqual([
        group,
        sorted(hostsBelow(list, group)),
      ]);
      const having = inventory.hosts.filter((host) => host.groups.includes(group));
      const members = group === 'all' ? [] : sorted(hostsBelow(list, group));
      expect(sorted(having.map((host) => host.name))).toEqual(members);
    }
  });

  it('gives each host the same variables', async () => {
    const inventory = await inventoryOf(name);
    for (const host of inventory.hosts) {
      const vars = list._meta.hostvars[host.name] ?? {};
      expect([host.name, host.labels]).toEqual([host.name, scalars(vars)]);
      expect([host.name, host.address, host.port, host.user, host.identityFile]).toEqual([
        host.name,
        vars['ansible_host'] ?? host.name,
        // When both are given, ssh is called with the older name's value (plugins/connection/ssh.py).
        vars['ansible_ssh_port'] ?? vars['ansible_port'] ?? 22,
        vars['ansible_user'] ?? 'root',
        vars['ansible_ssh_private_key_file'],
      ]);
    }
  });

  it.each(Object.entries(patterns))('%s selects the same hosts', async (pattern, hosts) => {
    const selection = selectHosts(await inventoryOf(name), pattern);
    expect(selection.ok ? sorted(selection.hosts.map((host) => host.name)) : selection).toEqual(
      sorted(hosts),
    );
  });
});
