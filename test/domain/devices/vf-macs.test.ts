import { describe, expect, it } from 'vitest';
import type { PciFunction } from '../../../src/domain/device-facts.ts';
import type { DeviceTarget } from '../../../src/domain/spec.ts';
import {
  deviceEntry,
  deviceFacts,
  hostWith,
  ownGroups,
  pfWithVfs,
  targetOf,
  vfsTarget,
} from '../../support/device-facts.ts';
import { blockOf, ofKind } from './planned.ts';

const [ONE, TWO] = ['0000:03:00.0', '0000:03:00.1'] as const;
const MAC = '02:00:00:00:00:0a';
const [SECOND] = pfWithVfs(TWO, 0, { pf: { net: ['ens1f1'] } });

const host = (functions: readonly PciFunction[]) =>
  hostWith(deviceFacts(functions, { groups: ownGroups(functions) }));

const entry = (match: DeviceTarget['match'], over: Partial<DeviceTarget> = {}) =>
  deviceEntry({ match, vfs: vfsTarget(1, { mac: MAC }), ...over });

const BOTH = `VF 0 of ${ONE} (ens1f0) and VF 0 of ${TWO} (ens1f1) would both have the address ${MAC}`;

describe('one MAC address for two VFs of a host', () => {
  it('is refused where one entry matches two ports', () => {
    const target = targetOf({ devices: [entry({ id: '8086:1572' })] });
    const block = blockOf(host([...pfWithVfs(ONE, 0), SECOND]), target);
    expect(block.code).toBe('vfs.mac-twice');
    expect(block.sentence).toContain(BOTH);
  });

  it('is refused where two entries have it', () => {
    const devices = [entry({ address: ONE }), entry({ address: TWO }, { name: 'others' })];
    const block = blockOf(host([...pfWithVfs(ONE, 0), SECOND]), targetOf({ devices }));
    expect(block.code).toBe('vfs.mac-twice');
    expect(block.sentence).toContain(BOTH);
  });

  it('is none where the second port is left alone', () => {
    const uses = [{ kind: 'ssh-route' as const, what: 'SSH route (ens1f1)' }];
    const facts = host([...pfWithVfs(ONE, 0), { ...SECOND, uses }]);
    const devices = [entry({ id: '8086:1572' }, { guarded: 'skip' })];
    expect(ofKind(facts, targetOf({ devices }), 'vfs')).toMatchObject([{ pf: ONE }]);
  });
});
