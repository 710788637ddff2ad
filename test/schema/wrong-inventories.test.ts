import { describe, expect, it } from 'vitest';
import { type Inventory, selectHosts } from '../../src/schema/host-pattern.ts';
import { parseInventory } from '../../src/schema/inventory/load-inventory.ts';
import { formatProblem } from '../../src/schema/problem.ts';

function problemsOf(text: string, file: string): string[] {
  const parsed = parseInventory(text, file);
  return parsed.ok ? [] : parsed.problems.map(formatProblem);
}

describe('a wrong INI inventory', () => {
  it.each([
    ['[a:childs]\nb', 'i.ini:1:1: :childs is not known; write [a:children] or [a:vars]'],
    ['[a b]\nh', 'i.ini:1:1: [a b] is no section; write [group], [group:children] or [group:vars]'],
    ['[a:vars]\nx=1', 'i.ini:1:1: [a:vars] is given for a group that is declared nowhere'],
    ['[a:children]\nb', 'i.ini:2:1: [a:children] names b, which is declared nowhere'],
    ['[a:children]\nb\n[b:children]\na', 'i.ini:4:1: puts a into b, which is in a already'],
    ['[a:children]\na', 'i.ini:2:1: puts a into itself'],
    ['h novalue', 'i.ini:1:1: "novalue" is no variable; write name=value'],
    ['h x="1', 'i.ini:1:1: has a quotation mark or \\ without end'],
    ['[g]\n[g:vars]\nfoo', 'i.ini:3:1: "foo" is no variable; write name=value'],
    [
      'web[1',
      'i.ini:1:1 web[1: "web[1" is no name of a host: at most 253 letters, digits and . _ - :, the first a letter or digit',
    ],
    ['web[5:1]', 'i.ini:1:1: "web[5:1]": [5:1] ends before it begins'],
    ['web[01:100]', 'i.ini:1:1: "web[01:100]": [01:100] must have ends of equal length'],
    ['web[1:]', 'i.ini:1:1: "web[1:]": [1:] names no end'],
    ['web[1:9:0]', 'i.ini:1:1: "web[1:9:0]": [1:9:0] has no valid step'],
    [
      'web[1:9999]-[1:9999]',
      'i.ini:1:1: "web[1:9999]-[1:9999]": stands for more than 100000 hosts',
    ],
    ['web:', 'i.ini:1:1: "web:" ends with : but names no port'],
    ['---\nall', 'i.ini:1:1: --- begins a YAML file; name it .yaml'],
    ['#!/bin/sh', 'i.ini:1:1: is a script; in a spec write inventory: { command: [PATH, --list] }'],
    ['h ansible_port=0', 'i.ini:1:1 h.ansible_port: "0" is no port from 1 to 65535'],
    ['h ansible_port=ssh', 'i.ini:1:1 h.ansible_port: "ssh" is no port from 1 to 65535'],
    [
      'h ansible_host=-oProxyCommand=x',
      'i.ini:1:1 h.ansible_host: "-oProxyCommand=x" is no DNS name or IP address',
    ],
    ['h ansible_host=', 'i.ini:1:1 h.ansible_host: "" is no DNS name or IP address'],
    ['h ansible_user="a b"', 'i.ini:1:1 h.ansible_user: "a b" is no name of a user'],
    [
      'h ansible_connection=local',
      'i.ini:1:1 h.ansible_connection: is "local", and vfleet reaches hosts by SSH only; leave the host out',
    ],
    [
      'h ansible_host="{{ ip }}"',
      'i.ini:1:1 h.ansible_host: "{{ ip }}" is a template, which vfleet does not evaluate; write the value',
    ],
    [
      'h ansible_ssh_common_args="-J a,b"',
      'i.ini:1:1 h.ansible_ssh_common_args: not yet: more than one jump host ("a,b") is not built in this release; name one',
    ],
    [
      'h ansible_ssh_common_args="-o ProxyCommand=nc"',
      'i.ini:1:1 h.ansible_ssh_common_args: "ProxyCommand=nc" is not supported; use ansible_host, ansible_port, ansible_user, ansible_ssh_private_key_file, or -J for a jump host',
    ],
    [
      'h ansible_ssh_common_args="-p 24"',
      'i.ini:1:1 h.ansible_ssh_common_args: "-p" is not supported; use ansible_host, ansible_port, ansible_user, ansible_ssh_private_key_file, or -J for a jump host',
    ],
    [
      'h ansible_ssh_common_args="-J -x"',
      'i.ini:1:1 h.ansible_ssh_common_args: "-x" is no jump host; write user@host or user@host:port',
    ],
    [
      'a ansible_host=192.0.2.1\nb ansible_host=192.0.2.1',
      'i.ini:2:1 b: is the same machine as a (192.0.2.1:22); keep one of the two',
    ],
  ])('%j', (text, problem) => {
    expect(problemsOf(text, 'i.ini')).toEqual([problem]);
  });

  it('gives a problem of a group’s variable once, not for each of its hosts', () => {
    const text = '[g]\nh[1:50]\n[g:vars]\nansible_user={{ me }}';
    expect(problemsOf(text, 'i.ini')).toEqual([
      'i.ini:4:1 g.ansible_user: "{{ me }}" is a template, which vfleet does not evaluate; write the value',
    ]);
  });

  it('may have one address behind two jump hosts', () => {
    const jump = (name: string): string =>
      `${name} ansible_host=10.0.0.1 ansible_ssh_common_args="-J bastion-${name}"`;
    expect(problemsOf(`${jump('a')}\n${jump('b')}`, 'i.ini')).toEqual([]);
  });
});

describe('wrong output of ansible-inventory', () => {
  it.each([
    [
      '{"_meta": {}}',
      '1:2 _meta.hostvars: is no mapping of hosts to their variables, which ansible-inventory --list prints there',
    ],
    [
      '{"_meta": {"hostvars": {}}, "g": 5}',
      '1:34 g: is no group; a group is a mapping with hosts, children or vars',
    ],
    [
      '{"_meta": {"hostvars": {}}, "g": {"host": []}}',
      '1:43 g.host: "host" is not known in a group; known here: hosts, children, vars',
    ],
    ['{"_meta": {"hostvars": {}}, "g": {"hosts": {}}}', '1:44 g.hosts: expected a list of names'],
    ['{"_meta": {"hostvars": {}}, "g": [5]}', '1:35 g.0: expected a name (text)'],
    [
      '{"_meta": {"hostvars": {}}, "g": {"vars": []}}',
      '1:43 g.vars: expected variables (a mapping)',
    ],
    [
      '{"_meta": {"hostvars": {"a": 5}}, "g": ["a"]}',
      '1:30 _meta.hostvars.a: expected variables (a mapping)',
    ],
    [
      '{"_meta": {"hostvars": {"a": {\n "ansible_port": "x"}}}, "g": ["a"]}',
      '2:18 a.ansible_port: "x" is no port from 1 to 65535',
    ],
    [
      '{"_meta": {"hostvars": {"a": {"ansible_host": {"__ansible_vault": "x"}}}}, "g": ["a"]}',
      '1:47 a.ansible_host: is vaulted, and vfleet needs its text to reach the host',
    ],
    [
      '{"_meta": {"hostvars": {}}, "g": {"children": ["g"]}}',
      '1:48 g.children.0: puts g into itself',
    ],
  ])('%s', (text, problem) => {
    expect(problemsOf(text, 'out')).toEqual([`out:${problem}`]);
  });
});

describe('a wrong YAML inventory', () => {
  it.each([
    ['', 'i.yaml:1:1: is empty; an inventory names hosts'],
    ['- a', 'i.yaml:1:1: expected groups (a mapping), as in all: { hosts: ... }'],
    ['all: [', 'i.yaml:1:7: is not YAML: a [ is opened and never closed'],
    [
      'plugin: aws_ec2',
      'i.yaml:1:1 plugin: configures a plugin, which only Ansible reads; in a spec write inventory: { command: [ansible-inventory, -i, PATH, --list] }',
    ],
    [
      '$ANSIBLE_VAULT;1.1;AES256\n3061',
      'i.yaml:1:1: is vaulted, which only Ansible reads; in a spec write inventory: { command: [ansible-inventory, -i, PATH, --list] }',
    ],
    [
      'all: { hosts: [a] }',
      'i.yaml:1:15 all.hosts: expected a mapping, found a list; write name: for each',
    ],
    [
      'all: { hosts: { a: 1 } }',
      'i.yaml:1:20 all.hosts.a: expected variables (a mapping), or nothing, after the name of a host',
    ],
    [
      'all: { hosts: { a: { ansible_host: !vault x } } }',
      'i.yaml:1:43 a.ansible_host: is vaulted, and vfleet needs its text to reach the host',
    ],
    [
      'all: { hosts: { "a b": } }',
      'i.yaml:1:17 a b: "a b" is no name of a host: at most 253 letters, digits and . _ - :, the first a letter or digit',
    ],
    [
      'a: { children: { b: { children: { a: } } } }',
      'i.yaml:1:18 a.children.b: puts b into a, which is in b already',
    ],
    ['hosts: []', 'i.yaml:1:8 hosts: names no host'],
    [
      'hosts: [{ name: a }, { name: a, port: 23 }]',
      'i.yaml:1:30 hosts.1.name: "a" is the name of hosts.0 too',
    ],
    [
      'hosts: [{ name: a, address: x }, { name: b, address: X }]',
      'i.yaml:1:34 hosts.1: is the same machine as a (x:22); keep one of the two',
    ],
    [
      'hosts: [{ name: a, adress: x }]',
      'i.yaml:1:20 hosts.0.adress: "adress" is not known; did you mean "address"?',
    ],
    ['hosts: [{ address: x }]', 'i.yaml:1:9 hosts.0.name: is missing'],
    [
      'hosts: [{ name: a, port: 99999 }]',
      'i.yaml:1:26 hosts.0.port: expected a port from 1 to 65535',
    ],
    [
      'hosts: [{ name: a, jump: "x,y" }]',
      'i.yaml:1:26 hosts.0.jump: not yet: more than one jump host ("x,y") is not built in this release; name one',
    ],
    [
      'hosts: [{ name: a, groups: [all] }]',
      'i.yaml:1:29 hosts.0.groups.0: "all" is no name of a group',
    ],
  ])('%j', (text, problem) => {
    expect(problemsOf(text, 'i.yaml')).toEqual([problem]);
  });

  it('may not hold itself', () => {
    expect(problemsOf('a: &a { children: { a: *a } }', 'i.yaml')[0]).toMatch(/i\.yaml:1:\d+/);
  });
});

const GROUPS = 'is not supported; groups are ( ), (?: ) and (?P<name> ), and (?i) may come first';
const ESCAPES =
  'is not supported; of escapes with a letter there are \\d \\w \\s \\b, \\D \\W \\S \\B and \\A';

function unreadable(expression: string, message: string): string {
  return `"${expression}" is no regular expression that can be read here: ${message}`;
}

describe('a wrong host pattern', () => {
  const host = (name: string) => ({
    name,
    address: name,
    port: 22,
    user: 'root',
    groups: [],
    labels: {},
  });
  const inventory: Inventory = {
    hosts: [host('a'), host('b')],
    groups: new Map([
      ['all', ['a', 'b']],
      ['ungrouped', []],
      ['retired', ['b']],
    ]),
  };

  it.each([
    ['', 'names no host; write all for every host'],
    ['all:!retird', 'no host or group is named "retird"; did you mean "retired"?'],
    ['nothing', 'no host or group is named "nothing"; groups are: all, ungrouped, retired'],
    [
      'a,b:!b',
      'no host or group is named "b:!b"; groups are: all, ungrouped, retired; where there is a comma, : does not separate',
    ],
    ['all:!all', '"all:!all" selects no host'],
    ['ungrouped', '"ungrouped" selects no host'],
    ['~c.*', 'no host or group matches "~c.*"'],
    ['~[ab]{1,b', 'no host or group matches "~[ab]{1"; a comma ends a term, also the one in {1,2}'],
    ['~(a', unreadable('~(a', 'missing closing ): `(a`')],
    ['~a**', unreadable('~a**', 'invalid nested repetition operator: `**`')],
    ['~(?=a)', unreadable('~(?=a)', `(?= ${GROUPS}`)],
    ['~a(?i)b', unreadable('~a(?i)b', `(?i ${GROUPS}`)],
    ['~(?<n>a)', unreadable('~(?<n>a)', `(?< ${GROUPS}`)],
    ['~(a)\\1', unreadable('~(a)\\1', `\\1 ${ESCAPES}`)],
    ['~\\pL', unreadable('~\\pL', `\\p ${ESCAPES}`)],
    [
      '~[[:alpha:]]',
      unreadable('~[[:alpha:]]', '[:alpha:] is no class in Python; write the characters out'),
    ],
    ['all:!~', unreadable('~', 'it is empty')],
    ['all:!', '"!" names nothing'],
    ['all:!&a', '"!&a" has two signs; write one & or !'],
    ['a b', '"a b" holds white space; separate terms by : or ,'],
    ['retired[3]', '"retired" has 1 hosts, none at the place asked for'],
    ['all[1-2]', '"all[1-2]" is read as a slice; write [1:2]'],
    ['all[2:1]', '"all[2:1]" ends before it begins'],
  ])('%j', (pattern, message) => {
    expect(selectHosts(inventory, pattern)).toEqual({ ok: false, messages: [message] });
  });

  it('reports every term that names nothing', () => {
    expect(selectHosts(inventory, 'x1:y1')).toMatchObject({
      ok: false,
      messages: [/x1/, /y1/].map((p) => expect.stringMatching(p) as string),
    });
  });
});
