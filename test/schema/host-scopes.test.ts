import { describe, expect, it } from 'vitest';
import type { HostEntry } from '../../src/domain/host-entry.ts';
import { NOTHING_ASKED, type GuestTarget, type Target } from '../../src/domain/spec.ts';
import { targetFor } from '../../src/domain/target-for.ts';
import type { Inventory } from '../../src/schema/host-pattern.ts';
import {
  hostScopes,
  type ScopeProblem,
  scopeWithoutInventory,
} from '../../src/schema/host-scopes.ts';
import { parseSpec } from '../../src/schema/spec.ts';

const host = (name: string, labels: Record<string, string> = {}): HostEntry => ({
  name,
  address: name,
  port: 22,
  user: 'root',
  groups: [],
  labels,
});

const HOSTS = [
  host('hv1', { edge: 'gw-fra', odd: 'a/b', number: '7' }),
  host('hv2', { edge: 'gw-ams', odd: 'c' }),
  host('hv3', { odd: 'd' }),
];

const INVENTORY: Inventory = {
  hosts: HOSTS,
  groups: new Map([
    ['all', ['hv1', 'hv2', 'hv3']],
    ['edge', ['hv1', 'hv2']],
    ['gpu', ['hv3']],
  ]),
};

/** A target of two device entries (NICs with 4 VFs, GPUs) with these host patterns, and these guests. */
function target(nics: string, gpus: string, guests = '', mac = ''): Target {
  const parsed = parseSpec(
    `name: a
hosts: { inventory: i }
target:
  devices:
    - { name: nics, ${nics} match: { class: "02" }, vfs: { count: 4, groups: [{ vfs: 0, driver: vfio-pci ${mac} }, { vfs: 1-3, driver: vfio-pci }] } }
    - { name: gpus, ${gpus} match: { class: "03" }, driver: vfio-pci }
  guests: [${guests}]
`,
    's.yaml',
  );
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.spec.target;
}

const guest = (domain: string, more = '', attach = '{ device: nics, vf: 0 }'): string =>
  `{ domain: ${JSON.stringify(domain)}, ${more} attach: [${attach}] }`;

const told = ({ path, message }: ScopeProblem): string => `${path.join('.')}: ${message}`;

function messagesOf(asked: Target, hosts: readonly HostEntry[] = HOSTS): readonly string[] {
  const read = hostScopes(asked, INVENTORY, hosts);
  return read.ok ? [] : read.problems.map(told);
}

function warningsOf(asked: Target, hosts: readonly HostEntry[] = HOSTS): readonly string[] {
  const read = hostScopes(asked, INVENTORY, hosts);
  return read.ok ? read.warnings.map(told) : ['is refused'];
}

describe('what of a target holds on a host', () => {
  it('is said by host patterns over the inventory and by host variables', () => {
    const asked = target('hosts: "!gpu",', 'hosts: gpu,', guest('{{ edge }}.vm', 'hosts: edge,'));
    const read = hostScopes(asked, INVENTORY, HOSTS);
    expect(read).toEqual({
      ok: true,
      scopes: new Map([
        ['hv1', { devices: [0], guests: [{ entry: 0, domain: 'gw-fra.vm' }] }],
        ['hv2', { devices: [0], guests: [{ entry: 0, domain: 'gw-ams.vm' }] }],
        ['hv3', { devices: [1], guests: [] }],
      ]),
      warnings: [],
    });
    if (!read.ok) return;
    const here = targetFor(asked, read.scopes.get('hv2'));
    expect(here.devices.map(({ name }) => name)).toEqual(['nics']);
    expect(here.guests.map(({ domain }) => domain)).toEqual(['gw-ams.vm']);
  });

  it('needs no scope where nothing differs between hosts', () => {
    const read = hostScopes(target('', '', guest('gw')), INVENTORY, HOSTS);
    expect(read).toEqual({ ok: true, scopes: new Map(), warnings: [] });
    expect(targetFor(target('', '', guest('gw'))).guests).toHaveLength(1);
    expect(hostScopes(NOTHING_ASKED, INVENTORY, HOSTS)).toMatchObject({ scopes: new Map() });
  });

  it('counts the entry that has no pattern on every host', () => {
    const read = hostScopes(target('', 'hosts: gpu,'), INVENTORY, HOSTS);
    expect(read.ok && [...read.scopes.values()].map(({ devices }) => devices)).toEqual([
      [0],
      [0],
      [0, 1],
    ]);
  });

  it('knows the name of the inventory entry itself', () => {
    const read = hostScopes(target('', '', guest('{{inventory_hostname}}-gw')), INVENTORY, HOSTS);
    expect(read.ok && read.scopes.get('hv3')?.guests[0]?.domain).toBe('hv3-gw');
  });

  it('takes a slice of the whole inventory, not of the selected hosts', () => {
    expect(warningsOf(target('hosts: "all[0]",', ''), HOSTS.slice(1))).toEqual([
      'target.devices.0: holds on none of the selected hosts',
    ]);
  });
});

describe('a target that cannot be said for every host', () => {
  it('names the hosts that lack a variable', () => {
    expect(messagesOf(target('', '', guest('{{ edge }}-{{ site }}', 'hosts: "hv1,hv3",')))).toEqual(
      [
        'target.guests.0.domain: hv1, hv3: no variable site in the inventory',
        'target.guests.0.domain: hv3: no variable edge in the inventory',
      ],
    );
  });

  it('names eight of many hosts', () => {
    const many = Array.from({ length: 20 }, (_, at) => host(`n${at}`));
    const inventory = { hosts: many, groups: new Map<string, string[]>() };
    expect(hostScopes(target('', '', guest('{{ edge }}')), inventory, many)).toEqual({
      ok: false,
      problems: [
        {
          path: ['target', 'guests', 0, 'domain'],
          message: 'n0, n1, n2, n3, n4, n5, n6, n7 and 12 more: no variable edge in the inventory',
        },
      ],
    });
  });

  it('does not ask the hosts on which the entry does not hold', () => {
    expect(messagesOf(target('', '', guest('{{ edge }}', 'hosts: edge,')))).toEqual([]);
  });

  it.each([
    [
      'a group that is not there',
      target('hosts: "gpus",', ''),
      'target.devices.0.hosts: no host or group is named "gpus"; did you mean "gpu"?',
    ],
    [
      'a guest on a group that is not there',
      target('', '', guest('d', 'hosts: "edges",')),
      'target.guests.0.hosts: no host or group is named "edges"; did you mean "edge"?',
    ],
    [
      'a variable that is no name',
      target('', '', guest('{{ odd }}')),
      'target.guests.0.domain: hv1: "a/b" is not the name of a guest: expected 1 to 128 letters, digits and . _ : @ + - with a letter or digit first',
    ],
    [
      'a variable that is a number',
      target('', '', guest('{{ number }}', 'hosts: hv1,')),
      'target.guests.0.domain: hv1: "7" is read by virsh as an id, not as a name',
    ],
    [
      'two entries for one guest',
      target(
        '',
        '',
        `${guest('{{ edge }}', 'hosts: hv1,')}, ${guest('gw-fra', '', '{ device: gpus }')}`,
      ),
      'target.guests.1.domain: hv1: "gw-fra" is the domain of target.guests.0 there too',
    ],
    [
      'one VF for two guests',
      target('', '', `${guest('a', 'hosts: edge,')}, ${guest('b', 'hosts: "hv2,hv3",')}`),
      'target.guests.1.attach.0: hv2: is given to target.guests.0 there too',
    ],
    [
      'a guest where its device is not',
      target('hosts: edge,', '', guest('d')),
      'target.guests.0.attach.0: hv3: "nics" does not hold there, by its own hosts',
    ],
  ])('%s', (_what, asked, message) => {
    expect(messagesOf(asked)).toEqual([message]);
  });
});

describe('one MAC address in two entries', () => {
  const vfs = 'vfs: { count: 1, groups: [{ vfs: 0, mac: 02:00:00:00:00:01 }] }';
  const twoPorts = (one: string, other: string): Target => {
    const entries = `{ name: a, hosts: "${one}", match: { netdev: a }, ${vfs} }, { name: b, hosts: "${other}", match: { netdev: b }, ${vfs} }`;
    const parsed = parseSpec(
      `name: a\nhosts: { inventory: i }\ntarget: { devices: [${entries}] }\n`,
      's.yaml',
    );
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    return parsed.spec.target;
  };

  it('is refused where the two meet on one host', () => {
    expect(messagesOf(twoPorts('edge', 'hv2,hv3'))).toEqual([
      'target.devices.1.vfs: hv2: 02:00:00:00:00:01 is the address of a VF of target.devices.0 there too',
    ]);
  });

  it('is not where they are on hosts of their own', () => {
    expect(messagesOf(twoPorts('hv1', 'hv3'))).toEqual([]);
  });
});

describe('a target that is lawful but surprising', () => {
  it('holds on none of the selected hosts', () => {
    const asked = target('', 'hosts: gpu,', guest('d', 'hosts: hv3,'));
    expect(warningsOf(asked, HOSTS.slice(0, 2))).toEqual([
      'target.devices.1: holds on none of the selected hosts',
      'target.guests.0: holds on none of the selected hosts',
    ]);
  });

  it.each([
    ['everywhere', '', 3],
    ['on some hosts', 'hosts: edge,', 2],
  ])('gives one MAC address to VFs of several hosts, %s', (_where, hosts, count) => {
    expect(warningsOf(target(hosts, '', '', ', mac: 02:00:00:00:00:01'))).toEqual([
      `target.devices.0.vfs: ${count} hosts would each have a VF with the address 02:00:00:00:00:01; in one network an address is there once`,
    ]);
  });

  it('says nothing of a MAC address on one host', () => {
    expect(warningsOf(target('hosts: hv1,', '', '', ', mac: 02:00:00:00:00:01'))).toEqual([]);
  });
});

describe('without an inventory', () => {
  const entriesOf = (guests: readonly GuestTarget[]): readonly string[] =>
    guests.map(({ domain }) => domain);

  it('only what is said of all hosts is known', () => {
    const guests = [
      guest('{{ edge }}', '', '{ device: gpus }'),
      guest('here', 'hosts: edge,', '{ device: gpus, pf: 1 }'),
      guest('with-nics'),
      guest('with-gpu', '', '{ device: gpus, pf: 2 }'),
    ].join(', ');
    const asked = target('hosts: edge,', '', guests);
    const { scope, left } = scopeWithoutInventory(asked);
    expect(left).toEqual([
      'target.devices.0',
      'target.guests.0',
      'target.guests.1',
      'target.guests.2',
    ]);
    expect(entriesOf(targetFor(asked, scope).guests)).toEqual(['with-gpu']);
    expect(targetFor(asked, scope).devices.map(({ name }) => name)).toEqual(['gpus']);
  });

  it('all of a target is known that speaks of all hosts', () => {
    expect(scopeWithoutInventory(target('', '', guest('d'))).left).toEqual([]);
  });
});
