import type { FileTree } from '../file-tree.ts';

const ESSENTIAL = /^\/(boot|boot\/efi|efi|usr|var|etc)?$/;
const NO_STORAGE =
  /^(proc|sysfs|devtmpfs|devpts|tmpfs|ramfs|cgroup|cgroup2|overlay|nsfs|securityfs|pstore|bpf|tracefs|debugfs|configfs|fusectl|mqueue|hugetlbfs|autofs|binfmt_misc|efivarfs|rpc_pipefs|nfsd|selinuxfs|resctrl)$/;

/** mountinfo as the script lets it out (src/host/scripts/devices.sh, mounts). */
export function mountsWithStorage(tree: FileTree): string {
  const seen = new Set<string>();
  return (tree.text('/proc/self/mountinfo') ?? '')
    .split('\n')
    .filter((row) => {
      const fields = row.split(' ');
      const dash = fields.indexOf('-', 6);
      const [number = '', , point = ''] = fields.slice(2);
      const type = fields[dash + 1] ?? '';
      if (dash === -1 || (!ESSENTIAL.test(point) && NO_STORAGE.test(type))) return false;
      const key = `${number} ${type}`;
      if (seen.has(key)) return false;
      seen.add(key);
      return true;
    })
    .join('\n');
}
