import type { ModelHost } from '../model-host.ts';
import { exit, type ProgramResult } from './result.ts';

/**
 * `find /proc ... ( -lname NODE [-o -lname NODE]... ) ...`, as the steps ask who has a node of VFIO open: prints `looked`, then
 * the first open file among those and whose it is. Guests have the groups of their devices open; other processes are links
 * that a test puts below /proc.
 */
export function find(args: readonly string[], host: ModelHost): ProgramResult {
  if (args[0] !== '/proc' || !args.includes('-lname')) {
    host.complain(`the model does not know find ${args.join(' ')}`);
    return exit(1, '', 'find: the model does not know this\n');
  }
  const wanted = new Set(args.filter((_, at) => args[at - 1] === '-lname'));
  const first = openNodes(host).find(({ node }) => wanted.has(node));
  return exit(0, `looked\n${first === undefined ? '' : `${first.node} ${first.path}\n`}`);
}

function openNodes({ tree, kernel }: ModelHost): { node: string; path: string }[] {
  const processes = tree.glob('/proc/[0-9]*/fd/*').flatMap((path) => {
    const link = tree.at(path, false);
    return link?.kind === 'link' ? [{ node: link.target, path }] : [];
  });
  const guests = [...kernel.bus.functions.values()].flatMap(({ guest, group }) => {
    if (guest === undefined || group === undefined) return [];
    const pid = (tree.text(`/run/libvirt/qemu/${guest}.pid`) ?? '').trim();
    return [{ node: `/dev/vfio/${group}`, path: `/proc/${pid}/fd/30` }];
  });
  return [...processes, ...guests];
}
