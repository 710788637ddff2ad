import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import pino from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { bounded } from '../../activities/boundary.ts';
import { createHostActivities } from '../../activities/host-activities.ts';
import type { MemoryHost } from '../../src/simulator/memory-host.ts';
import { createMemoryDirectory, createMemoryHost } from '../../src/simulator/memory-host.ts';

const log = pino({ level: 'silent' });

let host: MemoryHost;
afterEach(() => {
  host.model.dispose();
});

const activities = (faults: Parameters<typeof createMemoryHost>[0]['faults'] = []) => {
  host = createMemoryHost({ name: 'hv1', faults });
  return createHostActivities({
    hosts: createMemoryDirectory([host]),
    hooksFolder: '/none',
    engine: 'test',
    log,
  });
};
const connection = { name: 'hv1', address: '127.0.0.1', port: 22, user: 'root' };
const bootId = (): string => host.model.tree.text('/proc/sys/kernel/random/boot_id')!.trim();

/** A worker's part, which does not print the failures that are expected here. */
const run = <I>(handler: (input: I) => Promise<unknown>, input: I): Promise<unknown> =>
  new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') }).run(handler, input);

describe('what an activity throws to the engine', () => {
  it('is retried while a host has not rebooted yet', async () => {
    const known = activities();
    const look = run((input) => known.awaitReboot(input), { connection, bootIdBefore: bootId() });
    await expect(look).rejects.toMatchObject({ type: 'reboot.not-back-yet', nonRetryable: false });
  });

  it('is retried with its code when the host does not answer', async () => {
    const known = activities([{ kind: 'refuses' }]);
    const look = run((input) => known.checkGuests(input), { connection });
    await expect(look).rejects.toMatchObject({ type: 'ssh.refused', nonRetryable: false });
  });

  it('is a bug, and is not retried, when it is no error that we know', async () => {
    activities();
    const broken = bounded(log, 'inspect', () =>
      Promise.reject(new TypeError("Cannot read properties of undefined (reading 'args')")),
    );
    await expect(run(broken, {})).rejects.toMatchObject({
      type: 'vfleet.bug',
      nonRetryable: true,
      message: expect.stringContaining('Cannot read properties') as string,
    });
  });
});
