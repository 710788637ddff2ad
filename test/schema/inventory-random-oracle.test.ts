import fc from 'fast-check';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, it } from 'vitest';
import { stringify } from 'yaml';
import { askAnsible, hasAnsible } from './ask-ansible.ts';
import { expectSameGroups, expectSameHosts, expectSameVars, inventoryIn } from './like-ansible.ts';

const GROUPS = ['web', 'db', 'rack_a', 'rack_b', 'edge', 'leaf'];
const HOSTS = ['hv-1', 'hv-2', 'hv-3', 'hv-10', 'n1.fra', 'n2.fra', 'n3.ams'];
const VARS = ['who', 'site', 'zone', 'ansible_user', 'ansible_port'];

const folder = mkdtempSync(join(tmpdir(), 'vfleet-oracle-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Which of some variables a group or host has; their values say whose they are, so that the winner can be told. */
const vars = fc.subarray(VARS);
const group = fc.record({
  hosts: fc.subarray(HOSTS),
  vars,
  priority: fc.option(fc.integer({ min: -2, max: 12 })),
  folderVars: fc.option(vars),
  /** Later groups only: no circles. */
  children: fc.subarray(GROUPS),
});
const host = fc.record({ vars, folderVars: fc.option(vars) });
const inventory = fc.record({
  isYaml: fc.boolean(),
  all: fc.record({ vars, folderVars: fc.option(vars) }),
  groups: fc.tuple(...GROUPS.map(() => group)),
  hosts: fc.tuple(...HOSTS.map(() => host)),
});
type RandomInventory = typeof inventory extends fc.Arbitrary<infer T> ? T : never;

/** Slices stand only where Ansible itself has one order: the groups below a group's children are in a Python set there. */
const term = fc.oneof(
  fc.constantFrom(...GROUPS, ...HOSTS, 'all', 'ungrouped'),
  fc.constantFrom('hv-*', '*.fra', 'rack_?', 'n[12]*', 'n[!1]*', '*b*', 'hv-[!2-9]', 'w*', '*'),
  fc.constantFrom(
    '~hv-\\d$',
    '~rack',
    '~.*fra',
    '~(web|db)',
    '~n[1-2]',
    '~(?i)HV',
    '~e',
    '~.*[13]$',
  ),
  fc.constantFrom('leaf[0]', 'leaf[-1]', 'leaf[1:2]', 'hv-*[0]', 'hv-*[1:]', 'n*.fra[0:1]'),
);
const pattern = fc
  .tuple(
    fc.array(fc.tuple(fc.constantFrom('', '', '&', '!'), term), { minLength: 1, maxLength: 4 }),
    fc.constantFrom(':', ','),
  )
  .map(([terms, separator]) => terms.map(([mode, name]) => mode + name).join(separator));

function valueOf(owner: string, name: string, where: string): string | number {
  const text = `${where}_${owner}`.replaceAll(/[.-]/g, '_');
  return name === 'ansible_port'
    ? 1000 + Buffer.from(text).reduce((sum, byte) => sum + byte)
    : text;
}

function valuesOf(owner: string, names: readonly string[], where: string): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, valueOf(owner, name, where)]));
}

/** The files of an inventory by their paths; hosts and groups with all that was drawn for them. */
function filesOf(drawn: RandomInventory): Record<string, string> {
  const files: Record<string, string> = {};
  const groups = GROUPS.map((name, at) => ({ name, at, ...drawn.groups[at] })) as NamedGroup[];
  const hosts = HOSTS.map((name, at) => ({ name, vars: [], ...drawn.hosts[at] }));
  if (drawn.isYaml) files['hosts.yml'] = stringify(asYaml(drawn, groups, hosts));
  else files['hosts'] = asIni(drawn, groups, hosts);
  const folderVars = (kind: string, name: string, names: readonly string[] | null | undefined) => {
    if (names) files[`${kind}/${name}.yml`] = stringify(valuesOf(name, names, kind));
  };
  folderVars('group_vars', 'all', drawn.all.folderVars);
  for (const one of groups) folderVars('group_vars', one.name, one.folderVars);
  for (const one of hosts) folderVars('host_vars', one.name, one.folderVars);
  return files;
}

interface Named {
  readonly name: string;
  readonly vars: readonly string[];
}
interface NamedGroup extends Named {
  readonly at: number;
  readonly hosts: readonly string[];
  readonly children: readonly string[];
  readonly priority: number | null;
  readonly folderVars: readonly string[] | null;
}

function groupValues(group: NamedGroup): Record<string, unknown> {
  const priority = group.priority === null ? {} : { ansible_group_priority: group.priority };
  return { ...valuesOf(group.name, group.vars, 'inline'), ...priority };
}

function laterChildren(group: NamedGroup): readonly string[] {
  return group.children.filter((child) => GROUPS.indexOf(child) > group.at);
}

function asYaml(
  drawn: RandomInventory,
  groups: readonly NamedGroup[],
  hosts: readonly Named[],
): unknown {
  const bare = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, null]));
  const sections = groups.map((group) => [
    group.name,
    { hosts: bare(group.hosts), vars: groupValues(group), children: bare(laterChildren(group)) },
  ]);
  const all = {
    vars: valuesOf('all', drawn.all.vars, 'inline'),
    hosts: Object.fromEntries(
      hosts.map(({ name, vars }) => [name, valuesOf(name, vars, 'inline')]),
    ),
  };
  return { ...Object.fromEntries(sections), all };
}

function asIni(
  drawn: RandomInventory,
  groups: readonly NamedGroup[],
  hosts: readonly Named[],
): string {
  const pairs = (values: Record<string, unknown>, separator: string) =>
    Object.entries(values)
      .map(([name, value]) => `${name}=${String(value)}`)
      .join(separator);
  const lines = hosts.map(
    ({ name, vars }) => `${name} ${pairs(valuesOf(name, vars, 'inline'), ' ')}`,
  );
  for (const group of groups) {
    lines.push(`[${group.name}]`, ...group.hosts);
    lines.push(`[${group.name}:vars]`, pairs(groupValues(group), '\n'));
    lines.push(`[${group.name}:children]`, ...laterChildren(group));
  }
  return [...lines, '[all:vars]', pairs(valuesOf('all', drawn.all.vars, 'inline'), '\n')].join(
    '\n',
  );
}

// A failure names its seed's inventory: the folder number; run again with the same seed to see it.
const SEED = Number(process.env['VFLEET_SEED'] ?? 4);
const INVENTORIES = 40;
const PATTERNS = 15;

describe.skipIf(!hasAnsible)('random inventories (need test/setup/ansible.sh)', () => {
  it('are read as Ansible reads them', { timeout: 300_000 }, async () => {
    const drawn = fc.sample(inventory, { seed: SEED, numRuns: INVENTORIES });
    const questions = drawn.map((one, at) => {
      const name = `inventory-${at}`;
      for (const [path, text] of Object.entries(filesOf(one))) {
        const file = join(folder, name, path);
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, text);
      }
      return {
        inventory: name,
        patterns: fc.sample(pattern, { seed: SEED + at, numRuns: PATTERNS }),
      };
    });
    const answers = askAnsible(folder, questions);
    for (const [at, { list, patterns }] of answers.entries()) {
      const ours = await inventoryIn(folder, `inventory-${at}`);
      expectSameGroups(ours, list);
      expectSameVars(ours, list);
      for (const [one, hosts] of Object.entries(patterns)) expectSameHosts(ours, one, hosts);
    }
  });
});
