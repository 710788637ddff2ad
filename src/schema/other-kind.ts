import { isMapping } from './inventory/variable-value.ts';

/**
 * What else a file is, that a person named as a spec: `undefined` for anything that may be meant as one. Without it each
 * key of an inventory would be told as an unknown one.
 */
export function otherKind(value: unknown, text: string): string | undefined {
  if (isIni(text)) return INVENTORY;
  if (Array.isArray(value)) return value.some(isPlay) ? PLAYBOOK : undefined;
  return isMapping(value) ? otherMapping(value) : undefined;
}

function otherMapping(value: Readonly<Record<string, unknown>>): string | undefined {
  if ('name' in value || 'target' in value) return undefined;
  if ('apiVersion' in value && 'kind' in value) return MANIFEST;
  if (Array.isArray(value['hosts']) || Object.values(value).some(isGroup)) return INVENTORY;
  return undefined;
}

const INVENTORY =
  'looks like an inventory; name it in the hosts of a spec: { inventory: FILE, select: all }';
const PLAYBOOK =
  'looks like a playbook of Ansible; a spec has name, hosts and target (see examples/)';
const MANIFEST =
  'looks like a manifest of Kubernetes; a spec has name, hosts and target (see examples/)';

/** The first line that is no comment is the name of a section. */
function isIni(text: string): boolean {
  return /^(?:[ \t]*(?:[#;].*)?\r?\n)*\[[\w.:-]+\][ \t]*\r?\n\s*[^\s\-{[]/.test(text);
}

function isPlay(value: unknown): boolean {
  return isMapping(value) && 'hosts' in value && ('tasks' in value || 'roles' in value);
}

/** A group of Ansible's YAML. */
function isGroup(value: unknown): boolean {
  return isMapping(value) && (isMapping(value['hosts']) || isMapping(value['children']));
}
