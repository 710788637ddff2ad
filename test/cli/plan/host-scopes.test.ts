import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NOTHING_ASKED } from '../../../src/domain/spec.ts';
import type { HostScope } from '../../../src/domain/target-for.ts';
import { sealPlan, type PlanFile, type PlanHost } from '../../../src/cli/plan/plan-file.ts';
import { plannedHosts } from '../../../src/cli/plan/planned-hosts.ts';
import { probeHosts } from '../../../src/cli/plan/probe-hosts.ts';
import { HostError } from '../../../src/host/errors.ts';
import { runCliHere, type CliResult } from '../run-cli.ts';
import { SPEC } from '../render/samples.ts';

let folder: string;

const vfleet = (...args: string[]): Promise<CliResult> => runCliHere(args, { stateHome: folder });

const INVENTORY = `[edge]
hv-[1:3] ansible_host=127.0.0.1 ansible_port=1
hv-2 ansible_port=2 edge_domain=gw
hv-3 ansible_port=3
[gpu]
hv-4 ansible_host=127.0.0.1 ansible_port=4
`;

/** Writes a spec of two device entries and one guest, and returns its path. */
async function spec(name: string, guest: string): Promise<string> {
  const path = join(folder, `${name}.yaml`);
  await writeFile(
    path,
    `name: ${name}
hosts: { inventory: hosts.ini }
target:
  devices:
    - { name: nics, hosts: "!gpu", match: { class: "02" }, vfs: { count: 1, groups: [{ vfs: 0, driver: vfio-pci }] } }
    - { name: gpus, hosts: gpu, match: { class: "03" }, driver: vfio-pci }
  guests: [${guest}]
`,
  );
  return path;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vfleet-scopes-'));
  await writeFile(join(folder, 'hosts.ini'), INVENTORY);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('a host variable that hosts lack', () => {
  it.each(['check', 'plan'])('ends %s before a host is asked, with the hosts', async (command) => {
    const file = await spec(
      'lacking',
      `{ domain: "{{ edge_domain }}", hosts: edge, attach: [{ device: nics, vf: 0 }] }`,
    );
    const { code, stdout, stderr } = await vfleet(command, file);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(
      `${file}:7:22 target.guests.0.domain: hv-1, hv-3: no variable edge_domain in the inventory\n`,
    );
    expect(stderr).toContain(`mend the spec or the inventory, and check again: vfleet check`);
    expect(stderr).not.toContain('ssh.');
  });
});

describe('what of a target holds on each host', () => {
  it('is kept in the plan, also of hosts that do not answer', async () => {
    const file = await spec(
      'kept',
      `{ domain: "{{ edge_domain }}", hosts: hv-2, attach: [{ device: nics, vf: 0 }] }`,
    );
    const { code, stdout } = await vfleet('plan', file, '--json');
    expect(code).toBe(0);
    const { hosts } = JSON.parse(stdout) as { hosts: readonly PlanHost[] };
    expect(hosts.map(({ connection, scope }) => [connection.name, scope])).toEqual([
      ['hv-1', { devices: [0], guests: [] }],
      ['hv-2', { devices: [0], guests: [{ entry: 0, domain: 'gw' }] }],
      ['hv-3', { devices: [0], guests: [] }],
      ['hv-4', { devices: [1], guests: [] }],
    ]);
    expect(plannedHosts({ hosts })[1]).toMatchObject({
      planned: 'unreachable',
      scope: { devices: [0], guests: [{ entry: 0, domain: 'gw' }] },
    });
  });

  it('is part of what a plan is', () => {
    const scope: HostScope = { devices: [0], guests: [] };
    const connection = { name: 'hv', address: 'hv', port: 22, user: 'root' };
    const planOf = (more: { readonly scope?: HostScope }): PlanFile =>
      sealPlan({
        madeAt: '2026-01-01T00:00:00Z',
        probeMs: 1,
        specFile: 's.yaml',
        spec: SPEC,
        hosts: [
          {
            connection,
            plan: { kind: 'compliant', evidence: {} },
            guests: [],
            left: [],
            letter: '',
            ...more,
          },
        ],
      });
    const [without, first, other] = [
      planOf({}),
      planOf({ scope }),
      planOf({ scope: { ...scope, devices: [] } }),
    ];
    expect(new Set([without.digest, first.digest, other.digest]).size).toBe(3);
    expect(plannedHosts(first)[0]).toEqual({ connection, planned: 'compliant', kind: '', scope });
    expect(plannedHosts(without)[0]).not.toHaveProperty('scope');
  });

  it('goes with its host whatever order the answers come in', async () => {
    const connections = ['a', 'b', 'c'].map((name) => ({
      name,
      address: name,
      port: 22,
      user: 'root',
    }));
    const scopes = new Map(
      connections.map(({ name }, at): [string, HostScope] => [name, { devices: [at], guests: [] }]),
    );
    const refuse = (name: string) => (): Promise<never> =>
      Promise.reject(new HostError('ssh.refused', name, 'refused'));
    const probed = await probeHosts({
      hosts: {
        host: ({ name }) => ({
          name,
          read: refuse(name),
          write: refuse(name),
          poke: refuse(name),
          run: refuse(name),
        }),
        forget: () => undefined,
        close: () => Promise.resolve(),
      },
      connections,
      target: NOTHING_ASKED,
      scopes,
      parallel: 2,
      signal: new AbortController().signal,
    });
    expect(probed.map(({ scope }) => scope?.devices)).toEqual([[0], [1], [2]]);
  });
});

describe('a plan from a capture', () => {
  it('leaves out what only an inventory can say, and says so', async () => {
    const capture = join(folder, 'capture');
    await cp('test/fixtures/captures/debian-12-passthrough', capture, { recursive: true });
    const file = await spec('captured', `{ domain: d, attach: [{ device: nics, vf: 0 }] }`);
    const { code, stderr } = await vfleet('plan', file, '--from', capture);
    expect(stderr).toContain(
      'left out, since a capture has no inventory: target.devices.0, target.devices.1, target.guests.0',
    );
    expect(code).toBe(0);
  });
});
