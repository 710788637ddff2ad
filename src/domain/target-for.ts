import type { Target } from './spec.ts';

/** What of a target holds on one host: made from the inventory when the plan is made, small enough for 10,000 of them. */
export interface HostScope {
  /** Positions of the entries of `target.devices` that hold here. */
  readonly devices: readonly number[];
  /** Entries of `target.guests` that hold here, by position, with the domain's name as it is here. */
  readonly guests: readonly { readonly entry: number; readonly domain: string }[];
}

/** The target of one host. Without a scope it is that of a host of which nothing is known: entries for all hosts only. */
export function targetFor(target: Target, scope?: HostScope): Target {
  if (scope === undefined) {
    return {
      ...target,
      devices: target.devices.filter((entry) => entry.hosts === undefined),
      guests: target.guests.filter((entry) => entry.hosts === undefined),
    };
  }
  return {
    ...target,
    devices: scope.devices.flatMap((at) => target.devices[at] ?? []),
    guests: scope.guests.flatMap(({ entry, domain }) => {
      const guest = target.guests[entry];
      return guest === undefined ? [] : [{ ...guest, domain }];
    }),
  };
}
