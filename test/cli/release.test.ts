import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { leaseText } from '../../src/facts/lease.ts';
import { startFleet, type Fleet } from '../../src/simulator/fleet.ts';
import { runCliHere, type CliResult } from './run-cli.ts';

const LEASE = '/var/lib/vfleet/lease';
const RECORD = '/var/lib/vfleet/record.json';

let folder: string;
let fleet: Fleet;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vfleet-release-'));
  fleet = await startFleet({ hosts: 1, parentFolder: folder });
});
afterAll(async () => {
  await fleet.stop();
  await rm(folder, { recursive: true });
});

const vfleet = (...args: string[]): Promise<CliResult> =>
  runCliHere([...args, '-i', fleet.inventoryFile], { stateHome: folder });
const held = (): void => {
  const lease = {
    id: 'l1',
    rollout: 'enable-iommu#3',
    engine: 'prod',
    who: 'ops1',
    since: '2026-11-22T20:00:00Z',
  };
  // Root of a host can write there what it likes.
  const text = leaseText(lease, { madeFolder: false }).replace('ops1', 'ops1\u001b[2J');
  fleet.host('hv01').tree.put(LEASE, text);
};

describe('vfleet release', () => {
  it('shows whose host it is, that no engine could be asked, and what stays; then asks', async () => {
    held();
    const { code, stdout, stderr } = await vfleet('release', 'hv01', '--reason', 'lost');
    expect(code).toBe(5);
    expect(stdout).toMatch(
      /^HOST +hv01: enable-iommu#3 of ops1\S* holds this host since 2026-11-22T20:00:00Z \(engine prod\)$/m,
    );
    expect(stdout).toMatch(/^ENGINE +none is reachable from here, so nobody could say whether/m);
    expect(stdout).toMatch(/^STAYS +no change of vfleet$/m);
    expect(stdout).not.toContain('\u001b');
    expect(stderr).toContain('Release hv01 from enable-iommu#3? Nobody is here to answer.');
    expect(fleet.host('hv01').tree.text(LEASE)).toBeDefined();
  });

  it('releases it, keeps who and why, and then finds nothing to release', async () => {
    held();
    const { code, stdout } = await vfleet('release', 'hv01', '--reason', 'engine lost', '--yes');
    expect({ code, last: stdout.trim().split('\n').at(-1) }).toEqual({
      code: 0,
      last: 'hv01 is released from enable-iommu#3; its record keeps who did it and why.',
    });
    expect(fleet.host('hv01').tree.text(LEASE)).toBeUndefined();
    const facts = await vfleet('facts', 'hv01');
    expect(facts.stdout).toMatch(/^held by +no rollout$/m);
    // A record's line may be wider than the terminal.
    expect(facts.stdout.replaceAll(/\n +/g, ' ')).toMatch(
      /^record +enable-iommu#3 of ops1.*: not ended; released by .*: engine lost\b/m,
    );
    const again = await vfleet('release', 'hv01', '--reason', 'engine lost', '--yes');
    expect(again).toMatchObject({
      code: 0,
      stdout: 'No rollout holds hv01: there is nothing to release.\n',
    });
  });

  it('says what stood in the way when the lease could not be taken away, and leaves it', async () => {
    held();
    const { tree } = fleet.host('hv01');
    tree.remove(RECORD);
    tree.mkdir(RECORD);
    const { code, stderr } = await vfleet('release', 'hv01', '--reason', 'engine lost', '--yes');
    expect(code).toBe(1);
    expect(stderr).toContain('record.json: the write failed');
    expect(stderr).toContain('more: vfleet explain release.not-written');
    expect(tree.text(LEASE)).toBeDefined();
  });

  it('wants a reason, and touches no host without one', async () => {
    const { code, stderr } = await vfleet('release', 'hv01', '--yes');
    expect(code).toBe(2);
    expect(stderr).toContain('--reason');
  });
});
