/** The message for a source that only Ansible can turn into hosts, and how a spec has it do so. */
export function asCommand(what: string): string {
  return `${what}, which only Ansible reads; in a spec write inventory: { command: [ansible-inventory, -i, PATH, --list] }`;
}
