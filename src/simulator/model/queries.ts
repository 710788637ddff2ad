import type { QueryAnswer, QueryName } from '../../facts/snapshot.ts';
import { listInitramfs, readInitramfs } from './kernel/initramfs.ts';
import type { ModelHost } from './model-host.ts';
import { aerTotals, bridgeConfig, directRegions, msiVectors, pciNames } from './queries/bus.ts';
import { guestElements } from './queries/guest-elements.ts';
import { mountsWithStorage } from './queries/mounts.ts';
import { addressesJson, defaultRoutesJson, linksJson, sshRouteJson } from './queries/network.ts';
import { vfCountOwners } from './queries/vf-count-owners.ts';

type Answer = (host: ModelHost, connection: string | undefined) => string | undefined;

/** What the fixed queries print, without the newline at the end (the script's `$(...)` takes it off). */
const ANSWERS: Readonly<Record<QueryName, Answer>> = {
  uid: () => '0',
  'ssh-connection': (_host, connection) => connection,
  'grub-probe-fs': ({ machine }) => machine.bootFs,
  'grub-probe-abstraction': ({ machine }) => machine.bootAbstraction,
  space: ({ faults }) => space(faults.blocks('disk-full', '/etc')),
  'pci-names': pciNames,
  'msi-vectors': msiVectors,
  aer: aerTotals,
  'reserved-regions': directRegions,
  'bridge-config': bridgeConfig,
  mounts: ({ tree }) => mountsWithStorage(tree),
  'ip-links': (host) => linksJson(host),
  'ip-addresses': addressesJson,
  'default-routes': (host) => `${defaultRoutesJson(host)}\n[]`,
  'ssh-route': (host, connection) =>
    connection === undefined ? undefined : sshRouteJson(host, connection),
  'storage-routes': () => '',
  guests: ({ tree }) => guestElements(tree),
  'vf-count-owners': ({ tree }) => vfCountOwners(tree),
  initramfs: installedImages,
};

/** The model's answer to a query; `undefined`: it could not be asked. */
export function answerQuery(
  query: QueryName,
  host: ModelHost,
  connection: string | undefined,
): QueryAnswer | undefined {
  const output = ANSWERS[query](host, connection);
  return output === undefined ? undefined : { code: 0, output };
}

/** `df -Pk /boot /etc /var/lib` of a machine with one file system. */
function space(full: boolean): string {
  const row = full
    ? '/dev/nvme0n1p2   6088752 5773416         0     100% /'
    : '/dev/nvme0n1p2   6088752 1340484   4433040      24% /';
  return ['Filesystem     1024-blocks    Used Available Capacity Mounted on', row, row, row].join(
    '\n',
  );
}

function installedImages({ tree }: ModelHost): string {
  return tree
    .glob('/boot/initrd.img-*')
    .flatMap((path) => {
      const release = path.slice('/boot/initrd.img-'.length);
      const names = listInitramfs(readInitramfs(tree.text(path)), release);
      return [`image ${path}`, ...names.filter((name) => /vfleet|\/vfio[^/]*[.]ko/.test(name))];
    })
    .join('\n');
}
