import { INVENTORY_HOSTS_MAX } from './host-range.ts';

/** Where something stands in an inventory file, from 1. */
export interface Place {
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

/** Only scalars can be used; of the others it is enough to know what they are. */
export type VariableValue =
  | { readonly kind: 'scalar'; readonly text: string }
  | { readonly kind: 'structured' | 'vaulted' | 'null' };

interface Group {
  readonly name: string;
  readonly vars: Map<string, Variable>;
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
  private readonly hosts = new Map<string, { place: Place; vars: Map<string, Variable> }>();

  constructor() {
    this.addGroup('all');
    this.addGroup('ungrouped');
  }

  hasGroup(name: string): boolean {
    return this.groups.has(name);
  }

  addGroup(name: string): void {
    if (this.groups.has(name)) return;
    const [vars, sets] = [new Map<string, Variable>(), () => new Set<string>()];
    const group = { name, vars, children: sets(), parents: sets(), hosts: sets(), priority: 1 };
    this.groups.set(name, group);
  }

  /** Puts a host into a group, which must exist. A message when there are too many hosts. */
  addHost(name: string, group: string, place: Place): string | undefined {
    if (!this.hosts.has(name)) {
      if (this.hosts.size >= INVENTORY_HOSTS_MAX)
        return `is more than ${INVENTORY_HOSTS_MAX} hosts`;
      this.hosts.set(name, { place, vars: new Map() });
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
      group.priority = Number.parseInt(variable.value.text, 10) || 1;
    } else group.vars.set(variable.name, variable);
  }

  setHostVar(variable: Variable): void {
    this.hosts.get(variable.owner)?.vars.set(variable.name, variable);
  }

  /** Names that are both a group's and a host's. */
  ambiguousNames(): readonly { name: string; place: Place }[] {
    return [...this.hosts.entries()]
      .filter(([name]) => this.groups.has(name))
      .map(([name, { place }]) => ({ name, place }));
  }

  /** Every host with its groups and the variables that hold for it, in the order of the file. */
  resolve(): TreeHost[] {
    const ordered = this.byPrecedence();
    const groupsOf = this.groupsOfHosts();
    return [...this.hosts.entries()].map(([name, { place, vars }]) => {
      const own = groupsOf.get(name) ?? new Set<string>();
      const merged = new Map<string, Variable>();
      for (const group of ordered) {
        if (group.name !== 'all' && !own.has(group.name)) continue;
        for (const [key, variable] of group.vars) merged.set(key, variable);
      }
      for (const [key, variable] of vars) merged.set(key, variable);
      return { name, place, groups: [...own].sort(), vars: merged };
    });
  }

  /** The hosts of each group and of all groups below it, own ones first. */
  membership(): Map<string, readonly string[]> {
    const hosts = [...this.hosts.keys()];
    const ungrouped = new Set(this.ungrouped());
    const members = new Map<string, readonly string[]>();
    for (const name of this.groups.keys()) members.set(name, [...this.membersOf(name)]);
    members.set('all', hosts);
    members.set(
      'ungrouped',
      hosts.filter((host) => ungrouped.has(host)),
    );
    return members;
  }

  private membersOf(name: string): Set<string> {
    const below = new Set([name]);
    // A set grows while it is walked: this visits groups level by level, each once.
    for (const group of below)
      for (const child of this.groups.get(group)?.children ?? []) below.add(child);
    return new Set([...below].flatMap((group) => [...(this.groups.get(group)?.hosts ?? [])]));
  }

  /** Hosts that are in no group but `all`; they are in `ungrouped`, and no other host is. */
  private ungrouped(): string[] {
    const grouped = new Set<string>();
    for (const [name, group] of this.groups) {
      if (name === 'all' || name === 'ungrouped') continue;
      for (const host of group.hosts) grouped.add(host);
    }
    return [...this.hosts.keys()].filter((host) => !grouped.has(host));
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
      // Every group without a parent is below `all`.
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
