import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HostEntry } from '../../src/domain/host-entry.ts';
import { selectHosts } from '../../src/schema/host-pattern.ts';
import { loadInventory, parseInventory } from '../../src/schema/inventory/load-inventory.ts';
import { formatProblem } from '../../src/schema/problem.ts';

function hostsOf(text: string, file = 'i.ini'): readonly HostEntry[] {
  const parsed = parseInventory(text, file);
  if (!parsed.ok) throw new Error(parsed.problems.map(formatProblem).join('\n'));
  return parsed.inventory.hosts;
}

function jumpOf(args: string): HostEntry['jump'] {
  return hostsOf(`h ansible_user=me ansible_ssh_common_args=${JSON.stringify(args)}`)[0]?.jump;
}

describe("vfleet's own inventory", () => {
  it('fills in defaults, and keeps what a host says itself', () => {
    const hosts = hostsOf(
      `defaults: { user: ops, port: 2222, identityFile: ~/.ssh/a, jump: b@bastion:22, groups: [all-hv], labels: { site: fra } }
hosts:
  - { name: hv-1, address: 192.0.2.1, groups: [hypervisors], labels: { rack: 7, site: ams, spare: no } }
  - { name: hv-2, port: 22, user: root, knownHosts: kh, jump: none }
`,
      'i.yaml',
    );
    expect(hosts).toEqual([
      {
        name: 'hv-1',
        address: '192.0.2.1',
        port: 2222,
        user: 'ops',
        identityFile: '~/.ssh/a',
        jump: { user: 'b', address: 'bastion', port: 22, identityFile: '~/.ssh/a' },
        groups: ['all-hv', 'hypervisors'],
        labels: { rack: '7', site: 'ams', spare: 'no' },
      },
      {
        name: 'hv-2',
        address: 'hv-2',
        port: 22,
        user: 'root',
        identityFile: '~/.ssh/a',
        knownHostsFile: 'kh',
        groups: ['all-hv'],
        labels: { site: 'fra' },
      },
    ]);
  });

  it('has groups that a pattern selects', () => {
    const text = 'hosts: [{ name: a, groups: [g] }, { name: b }]';
    const parsed = parseInventory(text, 'i.yaml');
    if (!parsed.ok) throw new Error('refused');
    expect(selectHosts(parsed.inventory, 'all:!g')).toMatchObject({
      ok: true,
      hosts: [{ name: 'b' }],
    });
    expect(selectHosts(parsed.inventory, 'ungrouped')).toMatchObject({ hosts: [{ name: 'b' }] });
  });
});

describe('a pattern', () => {
  it('with many stars takes no time, however long the names are', () => {
    const name = 'a'.repeat(250);
    const host = { name, address: name, port: 22, user: 'root', groups: [], labels: {} };
    const inventory = { hosts: [host], groups: new Map([['all', [name]]]) };
    const begun = Date.now();
    expect(selectHosts(inventory, `${'*a'.repeat(20)}*b`).ok).toBe(false);
    expect(selectHosts(inventory, `${'*a'.repeat(20)}*`).ok).toBe(true);
    expect(Date.now() - begun).toBeLessThan(5_000);
  });
});

describe('a jump host in the arguments of ssh', () => {
  it.each([
    ['-J bastion', { address: 'bastion', port: 22, user: 'me' }],
    ['-Jops@bastion:2222', { address: 'bastion', port: 2222, user: 'ops' }],
    ['-o ProxyJump=ops@bastion', { address: 'bastion', port: 22, user: 'ops' }],
    ["-o 'ProxyJump bastion'", { address: 'bastion', port: 22, user: 'me' }],
    ['-oProxyJump=ssh://bastion:24', { address: 'bastion', port: 24, user: 'me' }],
    ['-o proxyjump=ops@[2001:db8::1]:23', { address: '2001:db8::1', port: 23, user: 'ops' }],
    ['-o ControlMaster=auto -J bastion -C', { address: 'bastion', port: 22, user: 'me' }],
    ['-J first -J second', { address: 'first', port: 22, user: 'me' }],
    ['-J none', undefined],
    ['-o ServerAliveInterval=5', undefined],
  ])('%s', (args, jump) => {
    expect(jumpOf(args)).toEqual(jump);
  });
});

describe('labels', () => {
  it('leave out what steers, what may be secret, templates, and what is no scalar', () => {
    const [host] = hostsOf(
      `h rack=1 vfleet_known_hosts=kh ansible_become=true db_password=x api_token=y key=z keyboard=us monkey=m list="[1]" t="{{ x }}" vm_passthrough=yes`,
    );
    expect(host?.labels).toEqual({ rack: '1', keyboard: 'us', monkey: 'm', vm_passthrough: 'yes' });
    expect(host?.knownHostsFile).toBe('kh');
  });

  it('leave out vaulted values', () => {
    const text =
      'all:\n  hosts:\n    h:\n      a: !vault |\n        $ANSIBLE_VAULT;1.1\n      b: 1\n';
    expect(hostsOf(text, 'i.yaml')[0]?.labels).toEqual({ b: '1' });
  });
});

describe('warnings', () => {
  it('name what Ansible skips and what vfleet does not use', () => {
    const text = `all:\n  hots: { h: }\n  hosts: { h: }\n  vars: { ansible_ssh_args: -C }\n`;
    const parsed = parseInventory(text, 'i.yaml');
    expect(parsed.ok && parsed.warnings.map(formatProblem)).toEqual([
      'i.yaml:2:3 all.hots: is skipped: "hots" is not known in a group; known here: hosts, children, vars',
      'i.yaml:4:29 all.ansible_ssh_args: -C is not used; vfleet always checks host keys and sets its own limits',
    ]);
  });
});

describe('the selection of the example', () => {
  it('is every hypervisor that is not retired', async () => {
    const loaded = await loadInventory('examples/inventory.ini');
    if (!loaded.ok) throw new Error('refused');
    const selection = selectHosts(loaded.inventory, 'hypervisors:!retired');
    expect(selection.ok && selection.hosts.map((host) => host.name)).toEqual([
      'hv-fra-01',
      'hv-fra-02',
      'hv-fra-04',
      'hv-ams-01',
    ]);
  });
});

describe('whatever the text', () => {
  it('never throws, and says where each problem is', () => {
    const pieces = fc.constantFrom(
      ...[
        '[',
        ']',
        '[g]\n',
        '[g:vars]\n',
        '[g:children]\n',
        'h',
        '=',
        ':',
        '\n',
        '  ',
        '"',
        "'",
        '\\',
      ],
      ...[
        '#',
        '{',
        '}',
        'all:',
        'hosts:',
        'children:',
        '- ',
        '&a ',
        '*a',
        '<<',
        '!vault',
        '1',
        '[1:9]',
        ',',
      ],
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 25 }), (parts) => {
        for (const file of ['i.ini', 'i.yaml', 'i']) {
          const parsed = parseInventory(parts.join(''), file);
          if (parsed.ok) continue;
          expect(parsed.problems.length).toBeGreaterThan(0);
          for (const { line, col } of parsed.problems) expect(line * col).toBeGreaterThan(0);
        }
      }),
      { numRuns: 500 },
    );
  });
});
