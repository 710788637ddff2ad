import { afterEach, describe, expect, it } from 'vitest';
import { beginRun } from '../../../activities/steps/begin.ts';
import { finishRun } from '../../../activities/steps/finish.ts';
import { ownWritten, readOwnState } from '../../../activities/steps/own-state.ts';
import { releaseHost } from '../../../activities/steps/release.ts';
import type { MemoryHost } from '../../../src/simulator/memory-host.ts';
import { createMemoryHost } from '../../../src/simulator/memory-host.ts';
import { guard, LEASE, planned } from '../../support/step-run.ts';

const LEASE_FILE = '/var/lib/vfleet/lease';
const MOTD_FOLDER = '/etc/motd.d';
const MOTD_FILE = `${MOTD_FOLDER}/50-vfleet`;

let host: MemoryHost;
afterEach(() => {
  host.model.dispose();
});

/** What may stand where the message of the day belongs, and what is told of it. */
const IN_THE_WAY: readonly (readonly [string, () => void, string])[] = [
  [
    'a folder that is a link elsewhere',
    () => {
      host.model.tree.mkdir('/run/motd');
      host.model.tree.put('/run/motd/50-vfleet', 'of somebody else\n');
      host.model.tree.link(MOTD_FOLDER, '/run/motd');
    },
    '/etc/motd.d is a link, so nothing is written there',
  ],
  [
    'a file that is a link elsewhere',
    () => {
      host.model.tree.put('/etc/issue', 'Debian\n');
      host.model.tree.mkdir(MOTD_FOLDER);
      host.model.tree.link(MOTD_FILE, '/etc/issue');
    },
    '/etc/motd.d/50-vfleet is a link, so nothing is written there',
  ],
  [
    'a folder of the same name',
    () => {
      host.model.tree.mkdir(MOTD_FILE);
    },
    '/etc/motd.d/50-vfleet: the write failed',
  ],
];

const begin = async () => {
  const { plan } = await planned(host);
  return beginRun(host, { guard: guard(1), lease: LEASE, changes: plan.changes });
};

describe.each(IN_THE_WAY)('a message of the day with %s in its way', (_what, obstruct, told) => {
  const make = (): void => {
    host = createMemoryHost({ name: 'hv1', kernelArgs: ['intel_iommu=off'] });
    obstruct();
  };

  it('is told, and holds no host', async () => {
    make();
    expect(await begin()).toMatchObject({ kind: 'ok', evidence: { lease: LEASE.id, motd: told } });
    expect(host.model.tree.text(LEASE_FILE)).toBeDefined();
    const end = { guard: guard(2), rollout: LEASE.rollout, outcome: 'done' };
    expect(await finishRun(host, end)).toMatchObject({
      kind: 'ok',
      evidence: { lease: 'given up' },
    });
    expect(host.model.tree.text(LEASE_FILE)).toBeUndefined();
  });

  it('keeps nobody from a release', async () => {
    make();
    await begin();
    const own = await readOwnState(host);
    const written = await releaseHost(host, {
      own: { ...own, lease: own.lease ?? '' },
      released: { who: 'ops2', at: '2026-11-23T03:00:00Z', reason: 'a test' },
    });
    expect(ownWritten(own, written).problem).toBeUndefined();
    expect(host.model.tree.text(LEASE_FILE)).toBeUndefined();
  });
});

it('gives the lease up though somebody has changed the message of the day meanwhile', async () => {
  host = createMemoryHost({ name: 'hv1', kernelArgs: ['intel_iommu=off'] });
  await begin();
  const own = await readOwnState(host);
  host.model.tree.put(MOTD_FILE, 'changed\n');
  const written = await releaseHost(host, {
    own: { ...own, lease: own.lease ?? '' },
    released: { who: 'ops2', at: '2026-11-23T03:00:00Z', reason: 'a test' },
  });
  expect(ownWritten(own, written)).toEqual({
    problem: undefined,
    told: { motd: '/etc/motd.d/50-vfleet was changed by someone else' },
  });
  expect(host.model.tree.text(LEASE_FILE)).toBeUndefined();
});
