import { describe, expect, it } from 'vitest';
import { usedByHost } from '../../../activities/steps/parts/vfs-live.ts';
import { hostUseHold } from '../../../activities/steps/parts/device-state.ts';
import type { VfsState } from '../../../src/domain/changes.ts';
import { deviceFacts, pciFunction, pfWithVfs } from '../../support/device-facts.ts';

const PF = '0000:03:00.0';
const NONE: VfsState = { count: 0, autoprobe: true, mtu: null, vfs: [] };

describe('a function that has come to carry the host since it was changed', () => {
  it.each([
    ['root-disk', 'devices.root-disk'],
    ['ssh-route', 'devices.ssh-route'],
  ] as const)('is not taken away by a rollback: %s', (kind, code) => {
    const [pf, ...vfs] = pfWithVfs(PF, 2, { vf: { uses: [{ kind, what: 'what it does' }] } });
    const live = {
      facts: deviceFacts([pf, ...vfs]),
      pf,
      count: 2,
      autoprobe: true,
      mtu: 1500,
      vfs: vfs.map((vf) => ({ ...vf, settings: {} })),
    };
    expect(usedByHost(live, NONE)).toMatchObject({ kind: 'hold', code });
    const asIs = {
      ...NONE,
      count: 2,
      vfs: vfs.map(({ driver, override }) => ({ driver, override })),
    };
    expect(usedByHost(live, asIs)).toBeUndefined();
  });

  it('may have a use that the host lives without', () => {
    const uses = [{ kind: 'network', what: 'address 10.0.0.1 (eth1)' }] as const;
    expect(hostUseHold([pciFunction(PF, { uses })])).toBeUndefined();
  });
});
