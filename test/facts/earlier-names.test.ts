import { describe, expect, it } from 'vitest';
import type { BindChange } from '../../src/domain/changes.ts';
import { namesBefore } from '../../src/facts/earlier-names.ts';
import { makeHostPlan } from '../../src/facts/host-plan.ts';
import { RECORD_BYTES_MAX } from '../../src/facts/record.ts';
import {
  deviceEntry,
  deviceFacts,
  hostWith,
  ownGroups,
  pciFunction,
  targetOf,
} from '../support/device-facts.ts';

const ADDRESS = '0000:03:00.0';
const NIC = pciFunction(ADDRESS);

const bound = (
  before: Partial<BindChange['before']>,
  parts: Partial<BindChange> = {},
): BindChange => ({
  kind: 'bind',
  address: ADDRESS,
  modalias: NIC.modalias ?? null,
  before: { driver: null, override: null, ...before },
  after: { driver: 'vfio-pci', override: 'vfio-pci' },
  by: 'override',
  files: [],
  ...parts,
});

const recordOf = (runs: readonly (readonly unknown[])[], more: object = {}): string =>
  JSON.stringify({
    version: 1,
    runs: runs.map((changes, at) => ({
      rollout: `bind#${at + 1}`,
      who: 'ops@desk',
      since: '2026-11-22T17:00:00Z',
      changes,
    })),
    ...more,
  });

const namesOf = (record: string | undefined) =>
  Object.fromEntries(namesBefore(record === undefined ? {} : { record })());

const FIRST = bound({ driver: 'i40e', net: ['ens1f0'] });

describe('how a function was known before vfleet bound it', () => {
  it.each<[string, BindChange]>([
    ['found it without a driver', bound({})],
    ['found it on vfio-pci', bound({ driver: 'vfio-pci', override: 'vfio-pci' })],
    ['found it without interfaces', bound({ driver: 'i40e', net: [] })],
  ])('stays known when a later run %s', (_, later) => {
    expect(namesOf(recordOf([[FIRST], [later]]))).toEqual({
      [ADDRESS]: { driver: 'i40e', net: ['ens1f0'] },
    });
  });

  it('is what the newest run found, where that found something', () => {
    const later = bound({ driver: 'ice', net: ['eth7'] });
    expect(namesOf(recordOf([[FIRST], [later]]))).toEqual({
      [ADDRESS]: { driver: 'ice', net: ['eth7'] },
    });
  });

  it('is not that of another card, which stands there by now', () => {
    const modalias = 'pci:v000010DEd00001B80sv000010DEsd0000119Ebc03sc00i00';
    const later = bound({}, { modalias });
    expect(namesOf(recordOf([[FIRST], [later]]))[ADDRESS]).toEqual({ driver: null, net: [] });
  });

  it.each<[string, string | undefined]>([
    ['there is none', undefined],
    ['it is no JSON', 'no { record'],
    ['it is of another release', recordOf([[FIRST]], { version: 2 })],
    ['one change of it is none', recordOf([[FIRST, { kind: 'bind', address: ADDRESS }]])],
    ['a name in it is no name', recordOf([[bound({ driver: 'i40e', net: ['a/b\u001b'] })]])],
    [
      'it is larger than any that vfleet writes',
      recordOf([[FIRST]]) + ' '.repeat(RECORD_BYTES_MAX),
    ],
  ])('is not known from a record when %s', (_, record) => {
    expect(namesOf(record)).toEqual({});
  });

  it('selects the function that a spec names by its interface', () => {
    const taken = { ...NIC, driver: 'vfio-pci', override: 'vfio-pci' };
    const devices = deviceFacts([taken], { groups: ownGroups([taken]) });
    const target = targetOf({ devices: [deviceEntry({ match: { netdev: 'ens1f0' }, expect: 1 })] });
    const record = recordOf([[FIRST], [bound({})]]);
    // Its rule is missing, so the plan has something to say of it.
    expect(makeHostPlan(hostWith(devices, { record }), target)).toMatchObject({
      kind: 'changes',
      changes: [{ kind: 'bind', address: ADDRESS }],
    });
    expect(makeHostPlan(hostWith(devices), target)).toMatchObject({ code: 'devices.count' });
  });
});
