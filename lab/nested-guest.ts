import type { Machine } from './machines.ts';

/**
 * The guest of every lab host, `lab-guest`: the host's own kernel with a program that says for ever which PCI functions
 * it sees (image/root/usr/local/share/lab-guest). It does not start by itself.
 */
const GUEST = 'lab-guest';

const SERIAL = `/var/log/libvirt/qemu/${GUEST}.serial`;

/** Starts it, and resolves when it has said that it is up: about 20 s. */
export async function startGuest(machine: Machine): Promise<void> {
  await asRoot(machine, `rm -f ${SERIAL}; virsh -q start ${GUEST}`);
  await waitFor(machine, 'tail -n +1', 'GUEST-UP', 1);
}

/** Pulls its plug. */
export async function stopGuest(machine: Machine): Promise<void> {
  await asRoot(machine, `virsh -q destroy ${GUEST}`);
}

/** Vendor and device of every PCI function that the guest sees now, by its own account. */
export async function seenFromInside(machine: Machine): Promise<string[]> {
  // What it says between two ends of a round from now on, it has seen from now on.
  await waitFor(machine, 'tail -n 0', '^TICK', 2);
  const said = await asRoot(machine, `tail -n 100 ${SERIAL}`);
  const round = said.split(/^TICK\s*$/m).at(-2) ?? '';
  return [...round.matchAll(/^PCI \S+ (\S+)/gm)].map(([, ids]) => ids!).sort();
}

/** The bytes of its configuration as libvirt keeps them. */
export const guestConfig = (machine: Machine): Promise<string> =>
  asRoot(machine, `cat /etc/libvirt/qemu/${GUEST}.xml`);

/** Ends when the guest says something more after the last line that counts, which it does every 2 s. */
async function waitFor(machine: Machine, from: string, pattern: string, times: number) {
  await asRoot(machine, `timeout 100 ${from} -F ${SERIAL} 2>&1 | grep -m ${times} "${pattern}"`);
}

const asRoot = (machine: Machine, script: string): Promise<string> =>
  machine.ssh(`sudo -n sh -c '${script}'`);
