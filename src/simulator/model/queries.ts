import type { QueryAnswer, QueryName } from '../../facts/snapshot.ts';
import type { Faults } from './faults.ts';
import type { Machine } from './machine.ts';

/** What the fixed queries print, without the newline at the end (the script's `$(...)` takes it off). */
export function answerQuery(
  query: QueryName,
  machine: Machine,
  faults: Faults,
): QueryAnswer | undefined {
  switch (query) {
    case 'uid':
      return { code: 0, output: '0' };
    case 'ssh-connection':
      return undefined;
    case 'grub-probe-fs':
      return { code: 0, output: machine.bootFs };
    case 'grub-probe-abstraction':
      return { code: 0, output: machine.bootAbstraction };
    case 'space':
      return { code: 0, output: space(faults.blocks('disk-full', '/etc')) };
  }
}

/** `df -Pk /boot /etc /var/lib` of a machine with one file system. */
function space(full: boolean): string {
  const row = full
    ? '/dev/vda2        6088752 5773416         0     100% /'
    : '/dev/vda2        6088752 1340484   4433040      24% /';
  return ['Filesystem     1024-blocks    Used Available Capacity Mounted on', row, row, row].join(
    '\n',
  );
}
