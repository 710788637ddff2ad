import { expect } from 'vitest';
import { withoutTrialArgs } from '../src/domain/drop-in.ts';
import type { Facts } from '../src/domain/facts.ts';
import type { VfleetCli } from './vfleet-cli.ts';

/** What no two moments share, and what vfleet noted of itself. */
const MOMENT: ReadonlySet<string> = new Set([
  'bootId',
  'freeKiB',
  'lease',
  'record',
  'runs',
  'undone',
  'temperatures',
  'aer',
]);

/**
 * All facts of a host in inventory.ini that should be as before once a rollout was taken back, as text. The numbers of
 * groups are given in the order in which VFs are made, which differs from boot to boot; who is together in one is compared.
 */
export async function comparedFacts(vfleet: VfleetCli, host: string): Promise<string> {
  const read = await vfleet.run('facts', host, '-i', 'inventory.ini', '--json');
  expect(read.code, read.stderr).toBe(0);
  const { devices, iommu, ...rest } = JSON.parse(read.stdout, (key, value: unknown) =>
    MOMENT.has(key) ? undefined : value,
  ) as Facts;
  // A line that was proven on trial and the same as the default are one line.
  const runningArgs = withoutTrialArgs(rest.runningArgs);
  const groups = devices.groups.map(({ members, type, rmrr }) =>
    [members, type, rmrr].map(String).join(' '),
  );
  const compared = {
    ...rest,
    runningArgs,
    iommu: { ...iommu, groups: groups.length },
    devices: {
      ...devices,
      functions: devices.functions.map((one) => ({ ...one, group: one.group === undefined })),
      groups: groups.sort(),
      modules: [...devices.modules].sort(),
    },
  };
  return JSON.stringify(compared, null, 1);
}
