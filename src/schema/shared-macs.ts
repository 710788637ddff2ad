import type { DeviceTarget } from '../domain/spec.ts';
import type { Contradiction } from './contradiction.ts';

/** What of a device entry says whose MAC address stands where. */
interface WithMacs {
  readonly hosts?: string | undefined;
  readonly expect?: number | undefined;
  readonly vfs?:
    { readonly groups?: readonly { readonly mac?: string | undefined }[] | undefined } | undefined;
}

/**
 * MAC addresses that two VFs of one host would have for certain: in an entry that expects several ports, and in two entries of
 * which one holds on every host. Of two with host patterns only the inventory says whether they meet (host-scopes.ts).
 */
export function sharedMacProblems(entries: readonly WithMacs[]): Contradiction[] {
  const owners: {
    readonly at: number;
    readonly mac: string;
    readonly hosts: string | undefined;
  }[] = [];
  return entries.flatMap(({ hosts, expect = 1, vfs }, at) =>
    (vfs?.groups ?? []).flatMap(({ mac }, group): Contradiction[] => {
      if (mac === undefined) return [];
      const path = [at, 'vfs', 'groups', group, 'mac'];
      const meets = (other: string | undefined) =>
        hosts === undefined || other === undefined || other === hosts;
      const owner = owners.find((one) => one.at !== at && one.mac === mac && meets(one.hosts));
      owners.push({ at, mac, hosts });
      if (owner !== undefined) {
        return [{ path, message: `${mac} is in target.devices.${owner.at} too` }];
      }
      if (expect < 2) return [];
      const message = `would be that of a VF of each of the ${expect} ports that the entry expects; give each port an entry of its own`;
      return [{ path, message }];
    }),
  );
}

/** The MAC addresses that an entry gives to VFs, each once. */
export const macsOf = ({ vfs }: Pick<DeviceTarget, 'vfs'>): readonly string[] => [
  ...new Set((vfs?.vfs ?? []).flatMap(({ mac }) => mac ?? [])),
];
