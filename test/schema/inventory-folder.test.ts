import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { HostEntry } from '../../src/domain/host-entry.ts';
import { loadInventory } from '../../src/schema/inventory/load-inventory.ts';
import { formatProblem } from '../../src/schema/problem.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vfleet-inventory-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

interface Loaded {
  readonly hosts: readonly HostEntry[];
  readonly warnings: readonly string[];
  readonly problems: readonly string[];
}

/** What comes of a path in the folder; the folder's own name is taken out of messages. */
async function load(path = '.'): Promise<Loaded> {
  const loaded = await loadInventory(join(folder, path));
  const lines = (loaded.ok ? loaded.warnings : loaded.problems).map((problem) =>
    formatProblem(problem).replaceAll(`${folder}/`, '').replaceAll(folder, '.'),
  );
  return loaded.ok
    ? { hosts: loaded.inventory.hosts, warnings: lines, problems: [] }
    : { hosts: [], warnings: [], problems: lines };
}

const VAULTED = '$ANSIBLE_VAULT;1.1;AES256\n3061\n';

describe('a folder as inventory', () => {
  it('gives connections and labels from group_vars and host_vars', async () => {
    write({
      'hosts.ini': '[hv]\nhv-1\n',
      'group_vars/hv.yml': 'ansible_user: ops\nrack: r1\nansible_ssh_common_args: -J bastion\n',
      'host_vars/hv-1.yml': 'ansible_host: 192.0.2.1\nrack: r2\n',
    });
    expect((await load()).hosts).toEqual([
      {
        ...{ name: 'hv-1', address: '192.0.2.1', port: 22, user: 'ops' },
        jump: { user: 'ops', address: 'bastion', port: 22 },
        groups: ['hv'],
        labels: { rack: 'r2' },
      },
    ]);
  });

  it('says what is wrong in every file of it, file by file', async () => {
    write({
      '1.ini': 'h ansible_port=0\n[g]\nh\nk\n',
      '2.yml': 'g: { hosts: [k] }\n',
      'group_vars/g.yml': '- text\n',
      'group_vars/all/x.yml': 'a: [\n',
      'host_vars/h.yml': 'x: 1\nansible_host: "{{ ip }}"\n',
    });
    expect((await load()).problems).toEqual([
      '1.ini:1:1 h.ansible_port: "0" is no port from 1 to 65535',
      '2.yml:1:13 g.hosts: expected a mapping, found a list; write name: for each',
      expect.stringMatching(/^group_vars\/all\/x\.yml:\d+:\d+: is not YAML: /),
      'group_vars/g.yml:1:1: expected variables (a mapping)',
      'host_vars/h.yml:2:15 h.ansible_host: "{{ ip }}" is a template, which vfleet does not evaluate; write the value',
    ]);
  });

  it('may hold vaulted files: they are named in one warning and not opened', async () => {
    write({
      hosts: 'h\nk\n',
      'group_vars/all/vault.yml': VAULTED,
      'group_vars/all/vars.yml': 'rack: r1\n',
      'host_vars/h': VAULTED,
    });
    const { hosts, warnings } = await load();
    expect(hosts.map(({ labels }) => labels)).toEqual([{ rack: 'r1' }, { rack: 'r1' }]);
    expect(warnings).toEqual([
      'group_vars/all/vault.yml:1:1: is vaulted and not read, nor is 1 more; what it says of connections has no effect',
    ]);
  });

  it('refuses a vaulted value by name only where it is needed to reach the host', async () => {
    const vaulted = '!vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  3061\n';
    write({ hosts: 'h\n', 'group_vars/all.yml': `password: ${vaulted}rack: r1\n` });
    expect((await load()).hosts[0]?.labels).toEqual({ rack: 'r1' });
    write({ 'host_vars/h.yml': `ansible_user: ${vaulted}` });
    expect((await load()).problems).toEqual([
      'host_vars/h.yml:1:22 h.ansible_user: is vaulted, and vfleet needs its text to reach the host',
    ]);
  });

  it('refuses what Ansible would skip with a warning, since hosts would be missing', async () => {
    write({
      'aws.yml': 'plugin: aws_ec2\n',
      'dynamic.py': '#!/usr/bin/python3\n',
      'ours.yaml': 'hosts: [{ name: a }]\n',
      'secret.ini': VAULTED,
      'x.toml': '[a]\n',
    });
    const tail = 'in a spec write inventory: { command:';
    const only = `which only Ansible reads; ${tail} [ansible-inventory, -i, PATH, --list] }`;
    expect((await load()).problems).toEqual([
      `aws.yml:1:1 plugin: configures a plugin, ${only}`,
      `dynamic.py:1:1: is a script; ${tail} [PATH, --list] }`,
      "ours.yaml:1:1: is of vfleet's own form, which stands alone; name this file as the inventory",
      `secret.ini:1:1: is vaulted, ${only}`,
      `x.toml:1:1: is TOML, ${only}`,
    ]);
  });

  it('that holds nothing to read is refused', async () => {
    write({ 'README.md': 'text\n', 'group_vars/all.yml': 'a: 1\n' });
    expect((await load()).problems).toEqual([
      '.:1:1: holds no inventory; hidden files and such as .md, .txt and .cfg are skipped',
    ]);
  });

  it('that leads back into itself is refused', async () => {
    write({ hosts: 'h\n' });
    symlinkSync(folder, join(folder, 'again'));
    symlinkSync(folder, join(folder, 'and again'));
    expect((await load()).problems).toEqual([
      'again:1:1: cannot be read: it is a link that leads back to a folder around it',
      'and again:1:1: cannot be read: it is a link that leads back to a folder around it',
    ]);
  });

  it('whose links show a few folders in a million ways is refused', async () => {
    for (let level = 0; level < 18; level += 1) {
      write({ [`${level}/hosts`]: 'h\n' });
      if (level === 0) continue;
      for (const name of ['a', 'b'])
        symlinkSync(join(folder, `${level - 1}`), join(folder, `${level}`, name));
    }
    expect((await load('17')).problems).toEqual([
      expect.stringContaining('more than 10000 files and folders are below it'),
    ]);
  });

  it('that holds a pipe or a device is refused, not waited for', async () => {
    write({ 'hosts.ini': 'h\n', 'host_vars/k.yml': 'a: 1\n' });
    execFileSync('mkfifo', [join(folder, 'pipe'), join(folder, 'host_vars', 'h')]);
    symlinkSync('/dev/zero', join(folder, 'zero'));
    expect((await load()).problems).toEqual([
      'host_vars/h:1:1: is no file but a pipe, a socket or a device',
      'pipe:1:1: is no file but a pipe, a socket or a device',
      'zero:1:1: is no file but a pipe, a socket or a device',
    ]);
  });

  it('must be UTF-8, but for comments: labels that nobody can tell apart would count as one', async () => {
    write({ 'group_vars/all.yml': 'a: 1\n' });
    writeFileSync(join(folder, 'a.ini'), Buffer.from('# K\xf6ln\nh rack=r1 # x\n', 'latin1'));
    expect((await load()).hosts[0]?.labels).toEqual({ rack: 'r1', a: '1' });
    writeFileSync(join(folder, 'b.ini'), Buffer.from('k rack=K\xf6ln\n', 'latin1'));
    expect((await load()).problems).toEqual([
      'b.ini:1:9: is not UTF-8 from here on; save it as UTF-8',
    ]);
  });

  it('may have a group_vars that is no folder, which is skipped with a warning', async () => {
    write({ hosts: 'h\n', group_vars: 'a: 1\n' });
    expect(await load()).toMatchObject({
      hosts: [{ name: 'h' }],
      warnings: ['group_vars:1:1: is skipped: it is no folder'],
    });
  });
});

describe('a file as inventory', () => {
  it('that is missing is refused', async () => {
    expect((await load('none')).problems).toEqual([
      'none:1:1: cannot be read: there is no such file',
    ]);
  });

  it('has the variables of the group_vars beside it when it is Ansible’s, and not when it is ours', async () => {
    write({
      'i.ini': 'h',
      'i.yaml': 'hosts: [{ name: h }]',
      'group_vars/all.yml': 'rack: r1\n',
    });
    expect((await load('i.ini')).hosts[0]?.labels).toEqual({ rack: 'r1' });
    expect((await load('i.yaml')).hosts[0]?.labels).toEqual({});
  });

  it('may hold what ansible-inventory --list printed', async () => {
    write({ 'saved.json': '{"_meta": {"hostvars": {"a": {"rack": "r"}, "b": {}}}, "g": ["a"]}' });
    expect(await load('saved.json')).toMatchObject({
      hosts: [{ name: 'a', groups: ['g'], labels: { rack: 'r' } }],
      warnings: ['saved.json:1:45 b: is skipped: the host is in no group'],
    });
  });
});
