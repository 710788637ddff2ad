import { spawnSync } from 'node:child_process';
import { afterEach, describe, expect, it } from 'vitest';
import { applyBind, undoBind } from '../../../activities/steps/bind.ts';
import { applyVfs, undoVfs } from '../../../activities/steps/vfs.ts';
import type { BindChange } from '../../../src/domain/changes.ts';
import { rulePath } from '../../../src/domain/own-files.ts';
import type { RunOutcome } from '../../../src/host/port.ts';
import type { MemoryHost } from '../../../src/simulator/memory-host.ts';
import { GPU, GPU_AUDIO, GPU_CHANGES, PF, vfsChange } from '../../support/device-changes.ts';
import { deviceHost, factsOf, well } from '../../support/device-run.ts';
import { guard } from '../../support/step-run.ts';

let host: MemoryHost;
afterEach(() => {
  host.model.dispose();
});

const [OF_GPU, OF_AUDIO] = GPU_CHANGES;
const withCard = async () => {
  host = deviceHost();
  await well(applyBind(host, { changes: GPU_CHANGES, guard: guard(2) }));
};
const withVfs = async () => {
  host = deviceHost();
  await well(applyVfs(host, { changes: [vfsChange({})], guard: guard(2) }));
};
const undo = (change: BindChange, seq = 9) => undoBind(host, { change, guard: guard(seq) });
const found = async (address: string) =>
  (await factsOf(host)).functions.find((fn) => fn.address === address)!;
/** A process with a node open, as DPDK has it. */
const open = (node: string, pid = 777) => {
  host.model.tree.link(`/proc/${pid}/fd/12`, node);
};
/** A host whose find ends so. */
function findEnds(outcome: Partial<RunOutcome>): void {
  const run = host.run.bind(host);
  host.run = (request) =>
    request.argv[0] === 'find'
      ? Promise.resolve({ kind: 'exited', code: 0, stdout: '', stderr: '', ...outcome })
      : run(request);
}

describe('undoBind while somebody uses the IOMMU group', () => {
  it('holds while a guest runs with another function of it, with nothing written', async () => {
    await withCard();
    host.model.guests.add({ name: 'sound', hostdevs: [{ address: GPU_AUDIO }] }, 'seed');
    const { group } = await found(GPU);
    expect(await undo(OF_GPU)).toMatchObject({
      kind: 'hold',
      code: 'bind.used-by-guest',
      sentence: `guest sound runs with ${GPU_AUDIO}, of IOMMU group ${group!} as ${GPU} is`,
      evidence: { guest: 'sound' },
    });
    expect(await found(GPU)).toMatchObject({ driver: 'vfio-pci', override: 'vfio-pci' });
    expect(host.model.tree.text(rulePath(GPU))).toBeDefined();
    host.model.guests.end('sound');
    await well(undo(OF_GPU, 10));
    expect((await found(GPU)).driver).toBe('nouveau');
  });

  it('holds also half-way, when the function has no driver already', async () => {
    await withCard();
    await host.poke({
      guard: guard(3),
      writes: [{ path: `/sys/bus/pci/devices/${GPU}/driver/unbind`, value: GPU, timeoutMs: 1000 }],
      deadlineMs: 5000,
    });
    host.model.guests.add({ name: 'sound', hostdevs: [{ address: GPU_AUDIO }] }, 'seed');
    expect(await undo(OF_GPU)).toMatchObject({ code: 'bind.used-by-guest' });
  });

  it('holds while a process has the group open, and names it', async () => {
    await withCard();
    open(`/dev/vfio/${(await found(GPU)).group!}`);
    expect(await undo(OF_GPU)).toMatchObject({
      kind: 'hold',
      code: 'bind.in-use',
      sentence: `process 777 has the IOMMU group of ${GPU} open`,
      evidence: { process: '777' },
    });
    expect((await found(GPU)).driver).toBe('vfio-pci');
  });

  it('holds while a process has a function of it open by iommufd', async () => {
    await withCard();
    host.model.tree.mkdir(`/sys/bus/pci/devices/${GPU_AUDIO}/vfio-dev/vfio3`);
    open('/dev/vfio/devices/vfio3');
    expect(await undo(OF_GPU)).toMatchObject({ code: 'bind.in-use' });
  });

  it('minds no process that has another group open, or the container', async () => {
    await withCard();
    open('/dev/vfio/999999');
    open('/dev/vfio/vfio', 778);
    await well(undo(OF_AUDIO));
    await well(undo(OF_GPU, 10));
  });

  it.each<[string, Partial<RunOutcome>]>([
    ['it took too long', { kind: 'timed-out', code: 124, stdout: 'looked\n' }],
    ['there is none', { kind: 'not-found', code: 127 }],
    ['it knows no such test', { code: 1, stderr: 'find: unrecognized: -lname\n' }],
    ['it says nothing', {}],
  ])('holds when find does not say who has it open: %s', async (_, outcome) => {
    await withCard();
    findEnds(outcome);
    expect(await undo(OF_GPU)).toMatchObject({ kind: 'hold', code: 'bind.in-use' });
    expect((await found(GPU)).driver).toBe('vfio-pci');
  });

  it('goes on when processes have ended while find looked', async () => {
    await withCard();
    findEnds({ code: 1, stdout: 'looked\n', stderr: "find: '/proc/9/fd': No such file\n" });
    await well(undo(OF_GPU));
  });

  it('asks in words that GNU find knows', async () => {
    await withCard();
    const { group } = await found(GPU);
    let asked: readonly string[] = [];
    const run = host.run.bind(host);
    host.run = (request) => {
      if (request.argv[0] === 'find') asked = request.argv;
      return run(request);
    };
    await well(undo(OF_GPU));
    const node = `/dev/vfio/${group!}`;
    expect(asked).toContain(node);
    // The program itself has this one open.
    const words = asked.slice(1).map((word) => (word === node ? '/dev/null' : word));
    const { stdout } = spawnSync('find', words, { stdio: ['ignore', 'pipe', 'ignore'] });
    expect(stdout.toString()).toMatch(/^looked\n\/dev\/null \/proc\/\d+\/fd\/\d+\n$/);
  });

  it('prints nothing of a host that answers with control characters', async () => {
    await withCard();
    findEnds({ stdout: 'looked\n/dev/vfio/\u001b[31m /proc/9/fd/1\n' });
    const outcome = await undo(OF_GPU);
    expect(outcome).toMatchObject({ code: 'bind.in-use', evidence: { process: 'unknown' } });
    expect(JSON.stringify(outcome).length).toBeLessThan(500);
    expect(JSON.stringify(outcome)).not.toContain('u001b');
  });
});

describe('applyBind', () => {
  it('holds too where a function is to leave VFIO', async () => {
    await withCard();
    open(`/dev/vfio/${(await found(GPU)).group!}`);
    const change: BindChange = {
      ...OF_GPU,
      before: { driver: 'vfio-pci', override: 'vfio-pci' },
      after: { driver: 'native', override: null },
      files: [],
    };
    const outcome = await applyBind(host, { changes: [change], guard: guard(3) });
    expect(outcome).toMatchObject({ code: 'bind.in-use' });
  });

  it('asks nobody where functions go to VFIO', async () => {
    host = deviceHost();
    await well(applyBind(host, { changes: GPU_CHANGES, guard: guard(2) }));
    expect(host.model.log.runsOf('find')).toEqual([]);
  });
});

describe('VFs on vfio-pci', () => {
  const vf = async (index: number) =>
    (await factsOf(host)).functions.find((fn) => fn.physfn === PF && fn.vfIndex === index)!;

  it('are not taken away while a process has one of them open', async () => {
    await withVfs();
    open(`/dev/vfio/${(await vf(1)).group!}`);
    const change = vfsChange({});
    expect(await undoVfs(host, { change, guard: guard(4) })).toMatchObject({ code: 'bind.in-use' });
    expect(host.model.tree.text(rulePath(PF))).toBeDefined();
    const fewer = {
      ...vfsChange({ vfs: change.after.vfs.slice(0, 1), before: change.after }),
      files: [],
    };
    expect(await applyVfs(host, { changes: [fewer], guard: guard(5) })).toMatchObject({
      code: 'bind.in-use',
    });
    expect((await vf(1)).driver).toBe('vfio-pci');
  });

  it('go when nobody has them, whoever else runs', async () => {
    await withVfs();
    open('/dev/vfio/999999');
    await well(undoVfs(host, { change: vfsChange({}), guard: guard(4) }));
  });
});
