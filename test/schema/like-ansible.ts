import { join } from 'node:path';
import { expect } from 'vitest';
import { type Inventory, selectHosts } from '../../src/schema/host-pattern.ts';
import { loadInventoryFromCommand } from '../../src/schema/inventory/inventory-command.ts';
import { loadInventory } from '../../src/schema/inventory/load-inventory.ts';
import { formatProblem } from '../../src/schema/problem.ts';
import type { Answer } from './ask-ansible.ts';

/** Loads what Ansible was asked about; its scripts are our commands. */
export async function inventoryIn(folder: string, name: string): Promise<Inventory> {
  const loaded = name.endsWith('.sh')
    ? await loadInventoryFromCommand([`./${name}`, '--list'], folder)
    : await loadInventory(join(folder, name));
  if (!loaded.ok) throw new Error(loaded.problems.map(formatProblem).join('\n'));
  return loaded.inventory;
}

/** The same hosts in the same groups. */
export function expectSameGroups(inventory: Inventory, list: Answer['list']): void {
  const names = inventory.hosts.map((host) => host.name);
  expect(sorted(names)).toEqual(hostsBelow(list, 'all'));
  for (const group of Object.keys(list).filter((key) => key !== '_meta')) {
    const members = hostsBelow(list, group);
    expect([group, sorted(inventory.groups.get(group) ?? [])]).toEqual([group, members]);
    const having = inventory.hosts.filter((host) => host.groups.includes(group));
    expect([group, sorted(having.map((host) => host.name))]).toEqual([
      group,
      group === 'all' ? [] : members,
    ]);
  }
}

/** The same variables on each host: as labels, and in how it is reached. */
export function expectSameVars(inventory: Inventory, list: Answer['list']): void {
  for (const { name, labels, address, port, user, identityFile } of inventory.hosts) {
    const vars = list._meta.hostvars[name] ?? {};
    expect([name, labels]).toEqual([name, labelsOf(vars)]);
    expect([name, address, port, user, identityFile]).toEqual([
      name,
      vars['ansible_host'] ?? name,
      // When both are given, ssh is called with the older name's value (plugins/connection/ssh.py).
      vars['ansible_ssh_port'] ?? vars['ansible_port'] ?? 22,
      vars['ansible_user'] ?? 'root',
      vars['ansible_ssh_private_key_file'],
    ]);
  }
}

/**
 * The same hosts for a pattern. Where Ansible finds none or refuses, vfleet refuses, so that nothing is done by mistake; it
 * refuses, too, where one of several terms slices what is not there, which Ansible takes for no host.
 */
export function expectSameHosts(
  inventory: Inventory,
  pattern: string,
  hosts: readonly string[] | null | undefined,
): void {
  const selection = selectHosts(inventory, pattern);
  const selected = selection.ok ? sorted(selection.hosts.map((host) => host.name)) : [];
  const refusal = selection.ok ? '' : selection.messages.join('; ');
  if (refusal.includes('none at the place asked for')) return;
  expect({ pattern, selected, refusal }).toMatchObject({ pattern, selected: hosts ?? [] });
}

function hostsBelow(list: Answer['list'], group: string): string[] {
  const { hosts = [], children = [] } = list[group] ?? {};
  return sorted([...hosts, ...children.flatMap((child) => hostsBelow(list, child))]);
}

function labelsOf(vars: Readonly<Record<string, unknown>>): Record<string, string> {
  const texts = Object.entries(vars).map(([name, value]) => [name, textOf(value)] as const);
  return Object.fromEntries(
    texts.filter(
      (entry): entry is [string, string] =>
        entry[1] !== undefined && !entry[0].startsWith('ansible_') && !entry[1].includes('{{'),
    ),
  );
}

function textOf(value: unknown): string | undefined {
  return ['string', 'number', 'boolean'].includes(typeof value) ? String(value) : undefined;
}

function sorted(list: Iterable<string>): string[] {
  return [...new Set(list)].sort();
}
