import { expect, it } from 'vitest';
import { OutcomeUnknown } from '../../src/host/errors.ts';
import type { HostPort } from '../../src/host/port.ts';
import { withinTime } from '../../src/host/within-time.ts';
import { createMemoryHost } from '../../src/simulator/memory-host.ts';

const run = (port: HostPort, deadlineMs: number) => port.run({ argv: ['true'], deadlineMs });

it('begins a command only while there is time to wait for its end', async () => {
  const host = createMemoryHost({ name: 'hv1' });
  let now = 0;
  const port = withinTime(host, 100_000, () => now);
  expect((await run(port, 80_000)).code).toBe(0);
  now = 30_000;
  await expect(run(port, 80_000)).rejects.toThrow(OutcomeUnknown);
  await expect(run(port, 80_000)).rejects.toThrow(/hv1.*the next attempt goes on/);
  expect((await run(port, 50_000)).code).toBe(0);
  await expect(port.read({ entries: [], deadlineMs: 70_000 })).rejects.toThrow(OutcomeUnknown);
  expect(host.model.log.runsOf('true')).toHaveLength(2);
  host.model.dispose();
});
