import type { HostEntry } from '../domain/host-entry.ts';
import { isLabelName } from './inventory/label-name.ts';
import { isTemplate } from './inventory/template.ts';

/** `{{ edge_domain }}`, with the name of a host variable and nothing else in it. */
const TEMPLATE = /\{\{\s*([A-Za-z_][A-Za-z0-9_]{0,127})\s*\}\}/g;

/** Ansible's word for the entry's own name, which is no variable of anybody's. */
const OWN_NAME = 'inventory_hostname';

/** Names of the host variables that a domain's name needs, each once. */
function domainVars(domain: string): readonly string[] {
  const names = [...domain.matchAll(TEMPLATE)].map(([, name = '']) => name);
  return [...new Set(names)].filter((name) => name !== OWN_NAME);
}

/** Whether the name differs between hosts. */
export function isPerHost(domain: string): boolean {
  return isTemplate(domain);
}

/** What is wrong with the name of a domain as a spec has it, `{{ host_var }}` included; `undefined`: nothing. */
export function domainProblem(domain: string): string | undefined {
  const filled = domain.replaceAll(TEMPLATE, 'x');
  if (isTemplate(filled)) {
    return 'holds a template that is not read here; only {{ host_var }} is, with the name of one host variable';
  }
  const hidden = domainVars(domain).find((name) => !isLabelName(name));
  if (hidden !== undefined) {
    return `needs ${hidden}, which is not read: variables of Ansible and vfleet, and those that may hold a secret, are no labels`;
  }
  return domainNameProblem(filled);
}

/**
 * What is wrong with the name of a domain on a host. libvirt takes more; these are the names that are the same to a shell
 * script, to virsh, which reads a number as the id of a running guest and a UUID as one, and on a page.
 */
export function domainNameProblem(name: string): string | undefined {
  const shown = JSON.stringify(name.slice(0, 80));
  if (!/^[\p{L}\p{N}_][\p{L}\p{N}_.:@+ -]{0,127}$/u.test(name) || name.endsWith(' ')) {
    return `${shown} is not the name of a guest: expected 1 to 128 letters, digits and . _ : @ + - with a letter or digit first`;
  }
  if (!/^\d+$/.test(name) && !UUID.test(name)) return undefined;
  return `${shown} is read by virsh as an id, not as a name`;
}

const UUID = /^[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}$/i;

/** The name of a domain on one host, or the variables that the host lacks. */
export function domainOn(
  domain: string,
  host: Pick<HostEntry, 'name' | 'labels'>,
): { readonly name: string } | { readonly missing: readonly string[] } {
  const missing = domainVars(domain).filter((name) => !Object.hasOwn(host.labels, name));
  if (missing.length > 0) return { missing };
  const name = domain.replaceAll(TEMPLATE, (_, variable: string) =>
    variable === OWN_NAME ? host.name : (host.labels[variable] ?? ''),
  );
  return { name };
}
