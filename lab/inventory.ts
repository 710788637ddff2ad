import type { Machine } from './machines.ts';

/** An Ansible inventory of lab machines, all in the group `hypervisors`. */
export function inventoryOf(machines: readonly Machine[]): string {
  const lines = machines.map(
    (machine) =>
      `${machine.name} ansible_host=${machine.address} ansible_port=${machine.port} ansible_user=${machine.user} ansible_ssh_private_key_file=${machine.keyFile} vfleet_known_hosts=${machine.knownHostsFile}`,
  );
  return `[hypervisors]\n${lines.join('\n')}\n`;
}
