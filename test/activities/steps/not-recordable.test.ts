import { afterEach, expect, it } from 'vitest';
import { beginRun } from '../../../activities/steps/begin.ts';
import type { MemoryHost } from '../../../src/simulator/memory-host.ts';
import { createMemoryHost } from '../../../src/simulator/memory-host.ts';
import { bindChange, GPU } from '../../support/device-changes.ts';
import { guard, LEASE } from '../../support/step-run.ts';

let host: MemoryHost;
afterEach(() => {
  host.model.dispose();
});

it('holds a begin whose findings could not be read back from the record, and names them', async () => {
  host = createMemoryHost({ name: 'hv1' });
  const odd = bindChange(GPU, { before: { driver: '../../etc', override: null } });
  const outcome = await beginRun(host, { guard: guard(1), lease: LEASE, changes: [odd] });
  expect(outcome).toMatchObject({ kind: 'hold', code: 'host.not-recordable' });
  expect(JSON.stringify(outcome)).toContain('../../etc');
  expect(host.model.tree.text('/var/lib/vfleet/record.json')).toBeUndefined();
  expect(host.model.tree.text('/var/lib/vfleet/UNDO.txt')).toBeUndefined();
});
