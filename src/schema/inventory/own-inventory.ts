import { z } from 'zod';
import type { HostConnection, HostEntry } from '../../domain/host-entry.ts';
import type { YamlText } from '../yaml-text.ts';
import { zodProblems } from '../zod-problems.ts';
import { USER_DEFAULT, addressProblem, hostNameProblem, userProblem } from './connection-rules.ts';
import { type LoadedInventory, twins } from './host-entries.ts';
import { INVENTORY_HOSTS_MAX } from './host-range.ts';
import { type JumpHost, readJumpHost } from './jump-host.ts';

function checked(problem: (text: string) => string | undefined) {
  return z.string().superRefine((text, context) => {
    const message = problem(text);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });
}

const port = z
  .number()
  .refine((value) => Number.isInteger(value) && value >= 1 && value <= 65_535, {
    error: 'expected a port from 1 to 65535',
  })
  .meta({ type: 'integer', minimum: 1, maximum: 65_535 });

const jump = z.string().transform((text, context): JumpHost | null => {
  const read = readJumpHost(text);
  if (typeof read !== 'string') return read;
  context.addIssue({ code: 'custom', message: read, continue: true });
  return null;
});

const path = checked((text) => (text === '' || /[\0\n]/.test(text) ? 'is no path' : undefined));
const labels = z.record(
  z.string(),
  z.union([z.string().max(256), z.number(), z.boolean()], { error: 'expected text' }),
);
const group = checked((name) =>
  /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/.test(name) && name !== 'all' && name !== 'ungrouped'
    ? undefined
    : `"${name}" is no name of a group`,
);

const shared = {
  port: port.optional(),
  user: checked(userProblem).optional(),
  identityFile: path.optional(),
  knownHosts: path.optional(),
  jump: jump.optional(),
  groups: z.array(group).max(100).prefault([]),
  labels: labels.prefault({}),
};

/** An inventory of vfleet's own form as a person writes it. */
export const ownInventorySchema = z.strictObject({
  version: z.literal(1, { error: 'this release reads version 1' }).prefault(1),
  defaults: z.strictObject(shared).prefault({}),
  hosts: z
    .array(
      z.strictObject({
        name: checked(hostNameProblem),
        address: checked(addressProblem).optional(),
        ...shared,
      }),
    )
    .min(1, { error: 'names no host' })
    .max(INVENTORY_HOSTS_MAX),
});

type Own = z.output<typeof ownInventorySchema>;
type OwnHost = Own['hosts'][number];

/** Whether a document is an inventory of vfleet's own form: `hosts` is a list, which it is nowhere in Ansible's. */
export function isOwnInventory(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    Array.isArray((value as { hosts?: unknown }).hosts)
  );
}

/** Reads vfleet's own inventory: a list of hosts, and what holds for all that do not say otherwise. */
export function parseOwnInventory(yaml: YamlText): LoadedInventory {
  const parsed = ownInventorySchema.safeParse(yaml.value);
  if (!parsed.success) {
    return { ok: false, problems: zodProblems(yaml, ownInventorySchema, parsed.error.issues) };
  }
  const hosts = parsed.data.hosts.map((host) => toEntry(host, parsed.data.defaults));
  const indexes = new Map<string, number>();
  const problems = [...hosts.entries()].flatMap(([index, { name }]) => {
    const twin = indexes.get(name);
    indexes.set(name, twin ?? index);
    if (twin === undefined) return [];
    const message = `"${name}" is the name of hosts.${twin} too`;
    return [yaml.problemAt(['hosts', index, 'name'], message)];
  });
  for (const { host, message } of twins(hosts)) {
    problems.push(yaml.problemAt(['hosts', hosts.indexOf(host)], message));
  }
  if (problems.length > 0) return { ok: false, problems };
  return { ok: true, inventory: { hosts, groups: groupsOf(hosts) }, warnings: [] };
}

function toEntry(host: OwnHost, defaults: Own['defaults']): HostEntry {
  const groups = [...new Set([...defaults.groups, ...host.groups])].sort();
  const labels = Object.entries({ ...defaults.labels, ...host.labels });
  return {
    ...toConnection(host, defaults),
    groups: groups.length === 0 ? ['ungrouped'] : groups,
    labels: Object.fromEntries(labels.map(([name, value]) => [name, String(value)])),
  };
}

function toConnection(host: OwnHost, defaults: Own['defaults']): HostConnection {
  const user = host.user ?? defaults.user ?? USER_DEFAULT;
  const files = filesOf(host, defaults);
  const by = host.jump === undefined ? defaults.jump : host.jump;
  return {
    name: host.name,
    address: host.address ?? host.name,
    port: host.port ?? defaults.port ?? 22,
    user,
    ...files,
    ...(by ? { jump: { user, ...files, ...by } } : {}),
  };
}

function filesOf(
  host: OwnHost,
  defaults: Own['defaults'],
): Pick<HostConnection, 'identityFile' | 'knownHostsFile'> {
  const identityFile = host.identityFile ?? defaults.identityFile;
  const knownHostsFile = host.knownHosts ?? defaults.knownHosts;
  return {
    ...(identityFile === undefined ? {} : { identityFile }),
    ...(knownHostsFile === undefined ? {} : { knownHostsFile }),
  };
}

function groupsOf(hosts: readonly HostEntry[]): Map<string, string[]> {
  const groups = new Map<string, string[]>([
    ['all', hosts.map((host) => host.name)],
    ['ungrouped', []],
  ]);
  for (const host of hosts) {
    for (const name of host.groups) {
      const members = groups.get(name) ?? [];
      members.push(host.name);
      groups.set(name, members);
    }
  }
  return groups;
}
