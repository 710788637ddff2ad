import { afterEach, describe, expect, it } from 'vitest';
import { applyAttach } from '../../activities/steps/attach.ts';
import { applyBind, undoBind } from '../../activities/steps/bind.ts';
import { undoAttach } from '../../activities/steps/detach.ts';
import { applyHugepages } from '../../activities/steps/hugepages.ts';
import { applyModules, undoModules } from '../../activities/steps/modules.ts';
import { applyVfs, undoVfs } from '../../activities/steps/vfs.ts';
import type { StepOutcome } from '../../src/domain/activities.ts';
import { ACTIVITY_TIME_MS, HOST_DEADLINE_MS } from '../../src/domain/deadlines.ts';
import type { HostPort } from '../../src/host/port.ts';
import { SSH_LIMITS } from '../../src/host/ssh/limits.ts';
import { withinTime } from '../../src/host/within-time.ts';
import type { MemoryHost } from '../../src/simulator/memory-host.ts';
import {
  attachChange,
  GPU_CHANGES,
  hugepagesChange,
  modulesChange,
  vfsChange,
} from '../support/device-changes.ts';
import { deviceHost, well } from '../support/device-run.ts';
import { guard } from '../support/step-run.ts';

let host: MemoryHost;
afterEach(() => {
  host.model.dispose();
});

/** Whether an attempt whose every command takes its longest ends in the time of a lengthy activity. */
async function fits(step: (port: HostPort) => Promise<StepOutcome>): Promise<void> {
  let now = 2 * SSH_LIMITS.connectTimeoutMs;
  const slow: HostPort = {
    name: host.name,
    read: (request) => after(2_000, request, () => host.read(request)),
    write: (request) => after(8_000, request, () => host.write(request)),
    poke: (request) => after(8_000, request, () => host.poke(request)),
    run: (request) => after(16_000, request, () => host.run(request)),
  };
  async function after<A>(
    graceMs: number,
    { deadlineMs }: { readonly deadlineMs: number },
    answer: () => Promise<A>,
  ): Promise<A> {
    now += deadlineMs + graceMs;
    return answer();
  }
  await well(step(withinTime(slow, ACTIVITY_TIME_MS.lengthy, () => now)));
  expect(now).toBeLessThan(ACTIVITY_TIME_MS.lengthy);
}

describe('an attempt whose every command takes its longest still fits its activity', () => {
  it('of modules and hugepages, forth and back', async () => {
    host = deviceHost();
    const modules = modulesChange();
    const pages = hugepagesChange();
    await fits(async (port) => {
      await well(applyModules(port, { changes: [modules], guard: guard(2) }));
      return applyHugepages(port, { changes: [pages], guard: guard(2), live: true });
    });
    await fits((port) => undoModules(port, { change: modules, guard: guard(3) }));
  });

  it('of the VFs of a PF, forth and back, also out of the initramfs', async () => {
    host = deviceHost();
    const change = vfsChange({});
    await fits((port) => applyVfs(port, { changes: [change], guard: guard(2) }));
    await host.run({ argv: ['update-initramfs', '-u', '-k', 'all'], deadlineMs: 5000 });
    await fits((port) => undoVfs(port, { change, guard: guard(3) }));
  });

  it('of the functions of a card, forth and back', async () => {
    host = deviceHost();
    await fits((port) => applyBind(port, { changes: GPU_CHANGES, guard: guard(2) }));
    await host.run({ argv: ['update-initramfs', '-u', '-k', 'all'], deadlineMs: 5000 });
    await fits((port) => undoBind(port, { change: GPU_CHANGES[0], guard: guard(3) }));
  });

  it('of a device of a guest, forth and back', async () => {
    host = deviceHost();
    await well(applyVfs(host, { changes: [vfsChange({})], guard: guard(2) }));
    host.model.guests.add({ name: 'edge-gw' }, 'seed');
    const change = attachChange();
    await fits((port) => applyAttach(port, { changes: [change], guard: guard(3) }));
    await fits((port) => undoAttach(port, { change, guard: guard(4) }));
  });
});

it('a command with kernel writes is long enough for the longest of them', () => {
  const { pokeMax, pokeMargin, sriovNumvfs, attribute } = HOST_DEADLINE_MS;
  expect(2 * sriovNumvfs + attribute + pokeMargin).toBeLessThanOrEqual(pokeMax);
});
