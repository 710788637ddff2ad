import { INVENTORY_HOSTS_MAX } from './host-range.ts';
import type { VariableValue } from './variable-value.ts';

/** Where something stands; line and column from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly col: number;
}

/** A variable of a group or host, as it was written. */
export interface Variable {
  /** The group or host that it was given to. */
  readonly owner: string;
  readonly name: string;
  readonly value: VariableValue;
  readonly place: Place;
}

/** The two folders in which each group or host may have variables of its own. */
export type VarsFolder = 'group_vars' | 'host_vars';

/** The variables of a group or host, by name. */
interface Variables {
  /** From the inventory itself. */
  readonly vars: Map<string, Variable>;
  /** From group_vars or host_vars. */
  readonly folderVars: Map<string, Variable>;
}

interface Group extends Variables {
  readonly name: string;
  readonly children: Set<string>;
  readonly parents: Set<string>;
  readonly hosts: Set<string>;
  priority: number;
}

/** A host with everything that it inherits. */
export interface TreeHost {
  readonly name: string;
  readonly place: Place;
  /** Own groups and all above them, sorted, without `all`. */
  readonly groups: readonly string[];
  readonly vars: ReadonlyMap<string, Variable>;
}

/** Groups and hosts as Ansible's InventoryData holds them (inventory/data.py, inventory/group.py). */
export class InventoryTree {
  private readonly groups = new Map<string, Group>();
  private readonly hosts = new Map<string, Variables & { readonly place: Place }>();

  constructor() {
    this.addGroup('all');
    this.addGroup('ungrouped');
    this.addChild('all', 'ungrouped');
  }

  /** The names of all groups, or of all hosts, which may have variables in that folder. */
  namesFor(folder: VarsFolder): readonly string[] {
    return [...(folder === 'group_vars' ? this.groups : this.hosts).keys()];
  }

  hasGroup(name: string): boolean {
    return this.groups.has(name);
  }

  addGroup(name: string): void {
    if (this.groups.has(name)) return;
    const links = { children: new Set<string>(), parents: new Set<string>() };
    const hosts = new Set<string>();
    this.groups.set(name, { name, ...noVariables(), ...links, hosts, priority: 1 });
  }

  /** Puts a host into a group, which must exist. A message when there are too many hosts. */
  addHost(name: string, group: string, place: Place): string | undefined {
    if (!this.hosts.has(name)) {
      if (this.hosts.size >= INVENTORY_HOSTS_MAX)
        return `is more than ${INVENTORY_HOSTS_MAX} hosts`;
      this.hosts.set(name, { place, ...noVariables() });
    }
    this.groups.get(group)?.hosts.add(name);
    return undefined;
  }

  /** Puts a group below another; both must exist. A message when that closes a circle. */
  addChild(parent: string, child: string): string | undefined {
    if (parent === child) return `puts ${child} into itself`;
    if (this.ancestorsOf(parent).has(child)) {
      return `puts ${child} into ${parent}, which is in ${child} already`;
    }
    this.groups.get(parent)?.children.add(child);
    this.groups.get(child)?.parents.add(parent);
    return undefined;
  }

  setGroupVar(variable: Variable): void {
    const group = this.groups.get(variable.owner);
    if (group === undefined) return;
    if (variable.name === 'ansible_group_priority' && variable.value.kind === 'scalar') {
      const priority = Number.parseInt(variable.value.text, 10);
      // Not `|| 1`: 0 is a priority, and below the default.
      if (!Number.isNaN(priority)) group.priority = priority;
    } else group.vars.set(variable.name, variable);
  }

  /** As Ansible does, of a name that is both a group's and a host's the group is meant (inventory/data.py). */
  setHostVar(variable: Variable): void {
    if (this.groups.has(variable.owner)) this.setGroupVar(variable);
    else this.hosts.get(variable.owner)?.vars.set(variable.name, variable);
  }

  /** Sets a variable that stands in group_vars or host_vars; there a priority is a variable like any other. */
  setFolderVar(folder: VarsFolder, variable: Variable): void {
    const owners = folder === 'group_vars' ? this.groups : this.hosts;
    owners.get(variable.owner)?.folderVars.set(variable.name, variable);
  }

  /** Names that are both a group's and a host's. */
  ambiguousNames(): readonly { name: string; place: Place }[] {
    return [...this.hosts.entries()]
      .filter(([name]) => this.groups.has(name))
      .map(([name, { place }]) => ({ name, place }));
  }

  /**
   * Every host with its groups and the variables that hold for it, in the order of the file. The later wins, as in
   * VARIABLE_PRECEDENCE (config/base.yml): `all` and groups of the inventory, then those of group_vars, then the host.
   */
  resolve(): TreeHost[] {
    const ordered = this.byPrecedence();
    const groupsOf = this.groupsOfHosts();
    return [...this.hosts.entries()].map(([name, host]) => {
      const own = groupsOf.get(name) ?? new Set<string>();
      const groups = ordered.filter((group) => group.name === 'all' || own.has(group.name));
      const layers = [
        ...groups.map((group) => group.vars),
        ...groups.map((group) => group.folderVars),
        host.vars,
        host.folderVars,
      ];
      const vars = new Map(layers.flatMap((layer) => [...layer]));
      return { name, place: host.place, groups: [...own].sort(), vars };
    });
  }

  /** The hosts of each group and of all groups below it, own ones first, then level by level (inventory/group.py). */
  membership(): Map<string, readonly string[]> {
    const ungrouped = this.ungrouped();
    return new Map([...this.groups.keys()].map((name) => [name, this.membersOf(name, ungrouped)]));
  }

  private membersOf(name: string, ungrouped: readonly string[]): string[] {
    const below = new Set([name]);
    // A set grows while it is walked: this visits groups level by level, each once.
    for (const group of below) for (const child of this.childrenOf(group)) below.add(child);
    const hostsOf = (group: string): Iterable<string> =>
      group === 'ungrouped' ? ungrouped : (this.groups.get(group)?.hosts ?? []);
    return [...new Set([...below].flatMap((group) => [...hostsOf(group)]))];
  }

  /** Every group without a parent is below `all`. */
  private childrenOf(name: string): Iterable<string> {
    const { children } = this.groups.get(name) ?? { children: [] };
    if (name !== 'all') return children;
    const roots = [...this.groups.values()].filter((group) => group.parents.size === 0);
    return [...children, ...roots.map((group) => group.name)];
  }

  /** Hosts that are in no group but `all`, in the order of the file; they are in `ungrouped`, and no other host is. */
  private ungrouped(): string[] {
    const grouped = new Set<string>();
    for (const [name, group] of this.groups) {
      if (name === 'all' || name === 'ungrouped') continue;
      for (const host of group.hosts) grouped.add(host);
    }
    const own = this.groups.get('ungrouped')?.hosts ?? [];
    const ordered = new Set([...own, ...this.hosts.keys()]);
    return [...ordered].filter((host) => !grouped.has(host));
  }

  private groupsOfHosts(): Map<string, Set<string>> {
    const found = new Map<string, Set<string>>();
    for (const host of this.ungrouped()) found.set(host, new Set(['ungrouped']));
    for (const [name, group] of this.groups) {
      if (name === 'all' || name === 'ungrouped') continue;
      const above = [name, ...this.ancestorsOf(name)].filter((one) => one !== 'all');
      for (const host of group.hosts) {
        const groups = found.get(host) ?? new Set<string>();
        for (const one of above) groups.add(one);
        found.set(host, groups);
      }
    }
    return found;
  }

  private ancestorsOf(name: string): Set<string> {
    const above = new Set<string>(this.groups.get(name)?.parents);
    for (const group of above)
      for (const parent of this.groups.get(group)?.parents ?? []) above.add(parent);
    return above;
  }

  /** Groups in the order in which they override each other: by depth, then priority, then name (inventory/helpers.py). */
  private byPrecedence(): Group[] {
    const depths = new Map<string, number>();
    const depthOf = (name: string): number => {
      const known = depths.get(name);
      if (known !== undefined) return known;
      const parents = [...(this.groups.get(name)?.parents ?? [])];
      const depth = name === 'all' ? 0 : 1 + Math.max(0, ...parents.map(depthOf));
      depths.set(name, depth);
      return depth;
    };
    return [...this.groups.values()].sort(
      (a, b) =>
        depthOf(a.name) - depthOf(b.name) ||
        a.priority - b.priority ||
        (a.name < b.name ? -1 : Number(a.name > b.name)),
    );
  }
}

function noVariables(): Variables {
  return { vars: new Map(), folderVars: new Map() };
}
