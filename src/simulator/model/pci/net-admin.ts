import type { PciFunction, VfAdmin } from './pci-function.ts';

/**
 * `ip link set dev PF vf INDEX WORDS`: what the driver administers of a VF. The answer is the words of iproute2 when it is
 * refused (lab: igb on Linux 6.1).
 */
export function setVf(
  pf: PciFunction,
  index: number,
  words: readonly string[],
): string | undefined {
  const vf = pf.net?.vfs[index];
  if (vf === undefined) return 'RTNETLINK answers: Invalid argument';
  for (let at = 0; at < words.length; at += 2) {
    const [name = '', value = ''] = words.slice(at, at + 2);
    const set = SETTERS[name];
    if (set === undefined) return `Error: argument "${name}" is wrong: the model does not know it`;
    set(vf, value);
  }
  return undefined;
}

const SETTERS: Readonly<Record<string, (vf: VfAdmin, value: string) => void>> = {
  mac: (vf, value) => (vf.mac = value.toLowerCase()),
  vlan: (vf, value) => (vf.vlan = Number(value)),
  spoofchk: (vf, value) => (vf.spoofCheck = value === 'on'),
  trust: (vf, value) => (vf.trust = value === 'on'),
  max_tx_rate: (vf, value) => (vf.maxRate = Number(value)),
  rate: (vf, value) => (vf.maxRate = Number(value)),
};
