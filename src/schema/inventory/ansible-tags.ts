import type { CollectionTag, ScalarTag, Tags } from 'yaml';

/** Stands for a value that only Ansible's vault can open. */
export const VAULTED = Object.freeze({ vaulted: true });

/** PyYAML's resolver (yaml/resolver.py), which Ansible uses, is narrower than YAML 1.1: `y`, `08` and `1e3` are text. */
const PYYAML_TESTS: ReadonlyMap<string, RegExp> = new Map([
  [
    String.raw`^(?:Y|y|[Yy]es|YES|[Tt]rue|TRUE|[Oo]n|ON)$`,
    /^(?:[Yy]es|YES|[Tt]rue|TRUE|[Oo]n|ON)$/,
  ],
  [
    String.raw`^(?:N|n|[Nn]o|NO|[Ff]alse|FALSE|[Oo]ff|OFF)$`,
    /^(?:[Nn]o|NO|[Ff]alse|FALSE|[Oo]ff|OFF)$/,
  ],
  [String.raw`^[-+]?[0-9][0-9_]*$`, /^[-+]?(?:0|[1-9][0-9_]*)$/],
  [
    String.raw`^[-+]?(?:[0-9][0-9_]*)?(?:\.[0-9_]*)?[eE][-+]?[0-9]+$`,
    /^(?:[-+]?[0-9][0-9_]*)?\.[0-9_]*[eE][-+][0-9]+$/,
  ],
  [String.raw`^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+$`, /^[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+$/],
]);

/**
 * The tags of an Ansible inventory: YAML 1.1 as PyYAML reads it, without dates (a label wants the text), with
 * `!unsafe` (text) and `!vault` (never opened here).
 */
function ansibleTags(known: Tags): Tags {
  const narrowed: Tags = [];
  for (const tag of known) {
    if (typeof tag === 'string') narrowed.push(tag);
    else if (!tag.tag.endsWith(':timestamp')) narrowed.push(narrowedTag(tag));
  }
  const opaque = (tag: string): ScalarTag => ({ tag, resolve: () => VAULTED });
  const unsafe: ScalarTag = { tag: '!unsafe', resolve: (text) => text };
  return [...narrowed, unsafe, opaque('!vault'), opaque('!vault-encrypted')];
}

function narrowedTag(tag: ScalarTag | CollectionTag): ScalarTag | CollectionTag {
  if (!('test' in tag)) return tag;
  const test = PYYAML_TESTS.get(tag.test.source);
  return test === undefined ? tag : ({ ...tag, test } as ScalarTag);
}

/** How a text of Ansible's is read as YAML. */
export const ANSIBLE_YAML = { version: '1.1', tags: ansibleTags } as const;
