import type { FileTree } from '../file-tree.ts';

/** Where the script looks (src/host/scripts/devices.sh, vf_count_owners). */
const GLOBS = [
  '/etc/NetworkManager/system-connections/*',
  '/run/NetworkManager/system-connections/*',
  '/usr/lib/NetworkManager/system-connections/*',
  '/etc/sysconfig/network-scripts/ifcfg-*',
  '/etc/netplan/*.yaml',
  '/run/netplan/*.yaml',
  '/lib/netplan/*.yaml',
  '/etc/systemd/network/*.link',
  '/etc/systemd/network/*.link.d/*.conf',
  '/run/systemd/network/*.link',
  '/usr/lib/systemd/network/*.link',
  '/etc/systemd/system/*.service',
  '/etc/udev/rules.d/*.rules',
  '/etc/tmpfiles.d/*.conf',
  '/etc/rc.local',
  '/etc/network/interfaces',
  '/etc/network/interfaces.d/*',
  '/etc/sysfs.conf',
  '/etc/sysfs.d/*.conf',
];
const OURS = /\/70-vfleet-|\/vfleet\.conf$/;
const COUNT = /^[ \t]*(total-vfs|SR-IOVVirtualFunctions|SRIOV_TOTAL_VFS)[ \t]*=/;
const NAME = /^[ \t]*(interface-name|OriginalName|PermanentMACAddress|Path|DEVICE)[ \t]*=/;

/** Lines of others' files that say how many VFs somebody makes. */
export function vfCountOwners(tree: FileTree): string {
  return GLOBS.flatMap((glob) => tree.glob(glob))
    .filter((path) => tree.at(path)?.kind === 'file' && !OURS.test(path))
    .flatMap((path) => said(path, tree.text(path) ?? '').map((row) => `${path}\t${row}`))
    .join('\n');
}

function said(path: string, text: string): readonly string[] {
  const rows = text.split('\n').filter((row) => !/^[ \t]*[#;]/.test(row));
  if (path.includes('/netplan/')) return netplan(rows);
  return rows.flatMap((row) => {
    const value = row.replace(/^[^=:]*[=:][ \t]*/, '').replace(/["'\r]/g, '');
    if (COUNT.test(row)) return [`count=${value}`];
    if (NAME.test(row)) return [`name=${value}`];
    return row.includes('sriov_numvfs') ? byScript(row) : [];
  });
}

function byScript(row: string): readonly string[] {
  const name =
    /[0-9a-f]{4}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]/.exec(row)?.[0] ??
    /\/net\/([A-Za-z0-9_.-]+)\//.exec(row)?.[1];
  return [...(name === undefined ? [] : [`name=${name}`]), 'count='];
}

/** The key above, by indentation. */
function netplan(rows: readonly string[]): readonly string[] {
  const open: { indent: number; key: string }[] = [];
  return rows.flatMap((row) => {
    const indent = row.length - row.trimStart().length;
    const count = /^ *virtual-function-count: *(.*)$/.exec(row)?.[1];
    if (count !== undefined) {
      const above = open.findLast((it) => it.indent < indent);
      return [
        ...(above === undefined ? [] : [`name=${above.key}`]),
        `count=${count.replace(/["'\r]/g, '')}`,
      ];
    }
    const key = /^ *([A-Za-z0-9_.-]+): *$/.exec(row)?.[1];
    if (key !== undefined) {
      while (open.length > 0 && (open.at(-1)?.indent ?? 0) >= indent) open.pop();
      open.push({ indent, key });
    }
    return [];
  });
}
