import { WorkflowNotFoundError } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import { refuseIfRunning } from '../../src/cli/commands/release.ts';
import { fakeEngine } from './fake-engine.ts';

const LEASE = {
  id: 'l1',
  rollout: 'enable-iommu#3',
  engine: 'prod:7233/default',
  who: 'ops1',
  since: '2026-11-22T20:00:00Z',
};

/** An engine that runs only these workflows, each with the rollout of its memo; others have ended, the rest it never had. */
const running = (open: Readonly<Record<string, string>>, ended: readonly string[] = []) =>
  fakeEngine({
    workflow: {
      getHandle: (id: string) => ({
        describe: () => {
          const rollout = open[id];
          if (rollout !== undefined) {
            return Promise.resolve({ status: { name: 'RUNNING' }, memo: { rollout } });
          }
          if (ended.includes(id)) return Promise.resolve({ status: { name: 'TERMINATED' } });
          return Promise.reject(new WorkflowNotFoundError('none', id, undefined));
        },
      }),
    },
  });

describe('a release', () => {
  it('is refused while the rollout runs the host', async () => {
    const engine = running({ 'vfleet/host/hv01': LEASE.rollout });
    await expect(refuseIfRunning(engine, 'hv01', LEASE)).rejects.toMatchObject({
      outcome: 'refused',
      code: 'release.running',
      message: expect.stringContaining('enable-iommu#3 still runs hv01') as string,
    });
  });

  it('is refused while the rollout is open, which may run the machine under another name', async () => {
    const engine = running({
      'vfleet/host/node-1': LEASE.rollout,
      'vfleet/rollout/enable-iommu#3': '',
    });
    await expect(refuseIfRunning(engine, 'hv01', LEASE)).rejects.toMatchObject({
      outcome: 'refused',
      code: 'release.running',
      message:
        'enable-iommu#3, which holds hv01 (engine prod:7233/default), is open in engine fake:7233, and may run it under another name.',
      next: 'vfleet status enable-iommu#3 shows its hosts; leave this one as it is: vfleet skip enable-iommu#3 HOST --reason TEXT; or end it all: vfleet abort enable-iommu#3',
    });
  });

  it('goes on once the rollout has ended, or was never there, or another one runs the host', async () => {
    const engine = running({ 'vfleet/host/hv01': 'sriov#1' }, ['vfleet/rollout/enable-iommu#3']);
    const said = 'fake:7233 runs nothing of enable-iommu#3 on hv01, and it is not open there';
    expect(await refuseIfRunning(engine, 'hv01', LEASE)).toBe(said);
    expect(await refuseIfRunning(running({}), 'hv01', LEASE)).toBe(said);
  });

  it('asks for no rollout that has no id, which a broken lease may name', async () => {
    for (const rollout of ['', 'x'.repeat(5000), `${'x'.repeat(5000)}#1`]) {
      const engine = running({ [`vfleet/rollout/${rollout}`]: '' });
      expect(await refuseIfRunning(engine, 'hv01', { ...LEASE, rollout })).toContain('not open');
    }
  });
});
