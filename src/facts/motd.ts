import type { Lease } from '../domain/facts.ts';
import { plainLine, plainLines } from '../domain/plain-line.ts';
import { UNDO_PATH } from './probe.ts';

/**
 * What whoever logs in reads while a rollout holds the host. pam_motd prints the file as it is, so every part is a
 * plain line. `host` is its name in the inventory, by which vfleet knows it.
 */
export function motdText(lease: Lease, host: string): string {
  const { rollout, who, since } = plainLines(lease);
  return `vfleet: rollout ${rollout} of ${who} holds this host since ${since}.
  Do not change its boot settings and do not reboot it.
  what it does: vfleet host ${rollout} ${plainLine(host)}
  undo by hand: sudo sh ${UNDO_PATH}
`;
}
