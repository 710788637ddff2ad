import type { QueryAnswer, QueryName } from '../../facts/snapshot.ts';
import {
  installedImages,
  listInitramfs,
  readInitramfs,
  releaseOfImage,
  usesDracut,
} from './kernel/initramfs.ts';
import type { ModelHost } from './model-host.ts';
import { aerTotals, bridgeConfig, directRegions, msiVectors, pciNames } from './queries/bus.ts';
import { kernelLog, modprobeLines, moduleFiles } from './queries/diagnose.ts';
import { bootModules } from './queries/boot-modules.ts';
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
  initramfs: imageList,
  'boot-modules': bootModules,
  'kernel-log': kernelLog,
  'guest-logs': () => '',
  'audit-log': () => undefined,
  'module-files': moduleFiles,
  'modprobe-lines': ({ tree }) => modprobeLines(tree),
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

function imageList({ tree }: ModelHost): string {
  const images = installedImages(tree).flatMap((path) => {
    const names = listInitramfs(readInitramfs(tree.text(path)), releaseOfImage(path));
    return [`image ${path}`, ...names.filter((name) => /vfleet|\/vfio[^/]*[.]ko/.test(name))];
  });
  return [`maker ${usesDracut(tree) ? 'dracut' : 'initramfs-tools'}`, ...images].join('\n');
}
