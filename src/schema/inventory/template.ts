/** Whether text would be evaluated by Ansible (Jinja2); vfleet does not, so its value is unknown. */
export function isTemplate(text: string): boolean {
  return /\{\{|\{%|\{#/.test(text);
}
