import { afterEach, describe, expect, it } from 'vitest';
import { checkGuests } from '../../../activities/steps/drain.ts';
import type { MemoryHost } from '../../../src/simulator/memory-host.ts';
import { createMemoryHost } from '../../../src/simulator/memory-host.ts';

let host: MemoryHost;
afterEach(() => {
  host.model.dispose();
});

describe('checkGuests', () => {
  it('is content with a host on which no guest runs', async () => {
    host = createMemoryHost({ name: 'hv1' });
    expect(await checkGuests(host)).toEqual({ kind: 'ok', evidence: { guests: 'none' } });
  });

  it('holds and names the guests that run', async () => {
    host = createMemoryHost({ name: 'hv1' });
    for (const guest of ['edge-gw', 'db 2']) {
      host.model.tree.put(`/run/libvirt/qemu/${guest}.xml`, '<domstatus state="running"/>\n');
    }
    const outcome = await checkGuests(host);
    expect(outcome).toMatchObject({ kind: 'hold', code: 'drain.guests-running' });
    expect(outcome.evidence['guests']).toContain('edge-gw');
    expect(host.model.log.changes()).toEqual([]);
  });
});
