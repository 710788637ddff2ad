import { describe, expect, it } from 'vitest';
import { HEAD, isUnderlined, problemsOf } from './problems-of.ts';

/** A mistake after three lines that are well. */
const after = (text: string): string => HEAD + text;

/** What an editor with our schema underlines as well. */
const SHAPE: readonly string[] = [
  after('version: 2\nfoo: 1\n'),
  after('version: "1"'),
  after('version: v1'),
  after('version: 1.1'),
  after('version:'),
  after('owner:\n  contact: #netplat\n'),
  after('limits: [ maxFailures: 2 ]'),
  after('waves: { name: a, hosts: 1 }'),
  after('waves: [{ name: a, upTo: 0.1 }, { name: all, upTo: 100% }]'),
  after('waves: [{ name: a, upTo: ten }, { name: all, upTo: 100% }]'),
  after('waves: [{ name: a, hosts: 10% }, { name: all, upTo: 100% }]'),
  after('waves: [{ name: a, hosts: "3" }, { name: all, upTo: 100% }]'),
  after('waves: [{ name: a, hosts: hv-01 }, { name: all, upTo: 100% }]'),
  after('waves: [{ name: a, hosts: [hv-01] }, { name: all, upTo: 100% }]'),
  after('waves: [{ name: a, hosts: -1 }, { name: all, upTo: 100% }]'),
  after('waves: [{ name: a, hosts: all }]'),
  after('waves: [{ name: a, hosts: 1, bake: 30 }, { name: all, upTo: 100% }]'),
  after('waves: [{ name: a, hosts: 1, bake: 30 min }, { name: all, upTo: 100% }]'),
  after('waves: [{ name: a, hosts: 1, bake: 1.5h }, { name: all, upTo: 100% }]'),
  after('waves: [{ name: a, hosts: 1, bake: 30M }, { name: all, upTo: 100% }]'),
  after('waves: [{ name: a, hosts: 1, bake: -5m }, { name: all, upTo: 100% }]'),
  after('waves: [{ name: a, hosts: 1, bake: 90:00 }, { name: all, upTo: 100% }]'),
  after('waves: [{ name: a, hosts: 1, bake: 5m30 }, { name: all, upTo: 100% }]'),
  after('waves: [{ name: a, hosts: 1, bake: 1w }, { name: all, upTo: 100% }]'),
  after('waves: [{ name: a, hosts: 1, promote: yes }, { name: all, upTo: 100% }]'),
  after('waves: [{ name: a, hosts: 1, promote: true }, { name: all, upTo: 100% }]'),
  after('waves: [{ name: a, hosts: 1, promote: Manual }, { name: all, upTo: 100% }]'),
  after('waves: [{ name: a, hosts: 1, each: rack }, { name: all, upTo: 100% }]'),
  after('waves: [canary, fleet]'),
  after('waves: [{ canary: 1 }, { name: all, upTo: 100% }]'),
  after('waves: [{ name: Canary Wave, hosts: 1 }, { name: all, upTo: 100% }]'),
  after('waves: [{ name: "", hosts: 1 }, { name: all, upTo: 100% }]'),
  after('waves: [{ name: 1, hosts: 1 }, { name: all, upTo: 100% }]'),
  after('reboot: { trial: yes }'),
  after('reboot: { trial: "true" }'),
  after('reboot: { trial: 1 }'),
  after('reboot: { trial: False }'),
  after('reboot: 20m'),
  after('reboot: { timeout: 20 m }'),
  after('reboot: { timeout: }'),
  after('limits: { maxFailures: -1 }'),
  after('limits: { maxFailures: 0.02 }'),
  after('limits: { maxFailures: 2,5% }'),
  after('limits: { parallel: "20" }'),
  after('limits: { parallel: 0 }'),
  after('limits: { max_failures: 2 }'),
  after('limits: { max-failures: 2 }'),
  after('limits: { maxUnavaliable: 2 }'),
  after('limits: { maxfailures: 2 }'),
  after('maxFailures: 2'),
  after('iommu: enabled'),
  after('parallel: 5'),
  after('bake: 30m'),
  after('select: all'),
  after('kernelArgs: {}'),
  after('drain: { on: worker, run: [x] }'),
  after('timeout: 20m'),
  after('inventory: hosts.ini'),
  after('team: x'),
  after('apiVersion: v1\nkind: Rollout'),
  after('spec: {}'),
  after('Name: a'),
  after('NAME: a'),
  after('on_host_failure: hold'),
  after('onhostfailure: hold'),
  after('hooks: { pre: {} }'),
  after('hooks: { health: systemctl is-active libvirtd }'),
  after('hooks: { health: [systemctl, is-active] }'),
  after('hooks: { health: { on: host, run: "systemctl is-active libvirtd" } }'),
  after('hooks: { health: { run: [systemctl] } }'),
  after('hooks: { drain: { on: local, run: [drain] } }'),
  after('hooks: { drain: { on: worker, run: [drain, 30] } }'),
  after('hooks: { drain: { on: worker, run: [drain, true] } }'),
  after('onHostFailure: Hold'),
  after('onHostFailure: stop'),
  after('onBudgetSpent: hold'),
  after('onHostFailure: [hold]'),
  'name: Enable IOMMU\nhosts: { inventory: hosts.ini }\ntarget: { iommu: enabled }\n',
  'name: enable_iommu\nhosts: { inventory: hosts.ini }\ntarget: { iommu: enabled }\n',
  'name: 42\nhosts: { inventory: hosts.ini }\ntarget: { iommu: enabled }\n',
  'name: [a]\nhosts: { inventory: hosts.ini }\ntarget: { iommu: enabled }\n',
  'name: enable-iommu#3\nhosts: { inventory: hosts.ini }\ntarget: { iommu: enabled }\n',
  'name: -a\nhosts: { inventory: hosts.ini }\ntarget: { iommu: enabled }\n',
  'name: a\nhosts: all\ntarget: { iommu: enabled }\n',
  'name: a\nhosts: hosts.ini\ntarget: { iommu: enabled }\n',
  'name: a\nhosts: [hv-01, hv-02]\ntarget: { iommu: enabled }\n',
  'name: a\nhosts: { inventory: [a.ini, b.ini] }\ntarget: { iommu: enabled }\n',
  'name: a\nhosts: { inventory: "" }\ntarget: { iommu: enabled }\n',
  'name: a\nhosts: { inventory: i, select: [a, b] }\ntarget: { iommu: enabled }\n',
  'name: a\nhosts: { inventory: i, select: "" }\ntarget: { iommu: enabled }\n',
  'name: a\nhosts:\n  inventory: i\n  select: &prod\ntarget: { iommu: enabled }\n',
  'name: a\nhosts: { inventory: i, limit: a }\ntarget: { iommu: enabled }\n',
  'name: a\nhosts: { inventory: i }\ntarget: { iommu: true }\n',
  'name: a\nhosts: { inventory: i }\ntarget: { iommu: on }\n',
  'name: a\nhosts: { inventory: i }\ntarget: { iommu: Enabled }\n',
  'name: a\nhosts: { inventory: i }\ntarget: { iommu: disable }\n',
  'name: a\nhosts: { inventory: i }\ntarget: { hostDma: pt }\n',
  'name: a\nhosts: { inventory: i }\ntarget: iommu\n',
  'name: a\nhosts: { inventory: i }\ntarget: [ iommu: enabled ]\n',
  'name: a\nhosts: { inventory: i }\ntarget:\nlimits: {}\n',
  'name: a\nhosts: { inventory: i }\ntarget: { kernelArgs: [pci=realloc] }\n',
  'name: a\nhosts: { inventory: i }\ntarget: { kernelArgs: "pci=realloc iommu=pt" }\n',
  'name: a\nhosts: { inventory: i }\ntarget: { kernelArgs: { present: "intel_iommu=on iommu=pt" } }\n',
  'name: a\nhosts: { inventory: i }\ntarget: { kernelArgs: { present: ["intel_iommu=on iommu=pt"] } }\n',
  'name: a\nhosts: { inventory: i }\ntarget: { kernelArgs: { present: [\'GRUB_CMDLINE_LINUX="intel_iommu=on iommu=pt"\'] } }\n',
  'name: a\nhosts: { inventory: i }\ntarget: { kernelArgs: { present: \'GRUB_CMDLINE_LINUX_DEFAULT="quiet splash intel_iommu=on"\' } }\n',
  'name: a\nhosts: { inventory: i }\ntarget: { kernelArgs: { present: { pci: realloc } } }\n',
  'name: a\nhosts: { inventory: i }\ntarget: { kernelArgs: { present: [pci: realloc] } }\n',
  'name: a\nhosts: { inventory: i }\ntarget: { kernelArgs: { add: [a] } }\n',
  'name: a\nhosts: { inventory: i }\ntarget: { kernelArgs: { present: [hugepages=32, 4] } }\n',
  'name: a\nhosts: { inventory: i }\ntarget: { devices: [{ match: { id: "8086:1572" } }] }\n',
  after('base: &b { parallel: 5 }\nlimits: *b'),
  after('limits: &l { parallel: 4 }\nwaves:\n  - <<: *l\n    name: a\n    upTo: 100%\n'),
  '\ufeffname: a\nhosts: { inventory: hosts.ini }\ntarget: { iommu: enabled }\nfoo: 1',
  '\ufeffname: a\n',
  'name: a\r\nhosts: { inventory: i }\r\ntarget: { iommu: enabeld }\r\n',
  'just text',
  '{}',
  'true',
  '{"name": "a", // why\n "hosts": 1}',
  after('limits: { parallel 5 }'),
  after('? a'),
  after('1: 2'),
  after('true: 2'),
  after('null: 2'),
  after('owner: { ticket: 4711 }'),
  after('owner: { ticket: [A, B] }'),
  after('owner:\n  team: |\n    two\n    lines\n'),
  after('windows: []'),
  after('target2: x'),
];

/** Right in form; only the parser knows better. */
const MEANING: readonly string[] = [
  after('waves: [{ name: a, upTo: 10 }, { name: all, upTo: 100 }]'),
  after('waves: [{ name: a, upTo: 120% }, { name: all, upTo: 100% }]'),
  after('waves: [{ name: a, hosts: 1, bake: 31d }, { name: all, upTo: 100% }]'),
  after('waves: [{ name: all, upTo: 100% }, { name: canary, hosts: 1 }]'),
  after('reboot: { timeout: 30s }'),
  after('limits: { maxFailures: 200% }'),
  after('limits: { maxUnavailable: 0% }'),
  after('hooks: { drain: { on: worker, run: [/usr/local/bin/drain] } }'),
  after('hooks: { drain: { on: worker, run: [drain], timeout: 2d } }'),
  'name: a\nhosts: { inventory: i }\ntarget: { kernelArgs: { present: [] } }\n',
  'name: a\nhosts: { inventory: i }\ntarget: { kernelArgs: { present: [init=/bin/sh, mem=4G] } }\n',
];

/** No YAML, or YAML that nobody meant so. */
const TEXT: readonly string[] = [
  'name: a\nhosts:\n\tinventory: x\ntarget: { iommu: enabled }',
  'name: "a\nhosts: { inventory: x }\n',
  after('owner: { contact: #netplat }\n'),
  after('owner:\n  contact: @netplat\n'),
  after('owner:\n  team: a: b\n'),
  after('x-anchors: 1'),
  'name: a\nhosts: { inventory: i, select: !retired }\ntarget: { iommu: enabled }\n',
  'name: a\nhosts: { inventory: i, select: *.example.com }\ntarget: { iommu: enabled }\n',
  'name: a\nhosts: { inventory: i }\ntarget: { kernelArgs: { present: [ , ] } }\n',
  after('--- \nname: b'),
  after('limits:\n  <<: *x\n'),
  after('name: b\n'),
  after('limits: { parallel: 1, parallel: 2 }'),
  '',
  '- hosts: all\n  tasks: []\n',
  'all:\n  hosts:\n    hv-01:\n',
  '{"name": "a" "hosts": 1}',
  after('  limits: { parallel: 1 }'),
  'name a\nhosts: b\n',
  after('limits: { parallel: 5'),
  after('owner: { team: |\n two\n lines\n }'),
  '#!/usr/bin/env vfleet',
  'apiVersion: vfleet/v1\nkind: Rollout\nspec: {}\n',
];

/** The golden file: each text as it stands, then what is said of it. */
function page(title: string, texts: readonly string[]): string {
  const entries = texts.map((text) => {
    const shown = text.startsWith(HEAD) ? text.slice(HEAD.length) : text;
    const lines = shown.split('\n').map((line) => `  | ${visible(line)}`.trimEnd());
    return `${lines.join('\n')}\n${problemsOf(text).join('\n')}\n`;
  });
  return `${title}\n\n${entries.join('\n')}`;
}

/** Tabs, returns and marks as JSON writes them. */
function visible(line: string): string {
  return line
    .replaceAll(/[^\P{C}]/gu, (found) => JSON.stringify(found).slice(1, -1))
    .replaceAll('\ufeff', '\\ufeff');
}

const REST = `The three lines before those that begin at line 4 are:
${HEAD.replaceAll(/^(?=.)/gm, '  | ')}`;

// Rewritten by `npx vitest run test/schema/wrong-spec-table -u`; read the difference, it is what people are told.
describe('each of many wrong specs is refused with exactly these words', () => {
  it.each([
    ['shape', SHAPE],
    ['meaning', MEANING],
    ['text', TEXT],
  ])('%s', async (name, texts) => {
    const golden = page(`Wrong in ${name}. ${REST}`, texts);
    await expect(golden).toMatchFileSnapshot(`golden/wrong-in-${name}.txt`);
  });

  it.each([...SHAPE, ...MEANING, ...TEXT])('%j', (text) => {
    expect(problemsOf(text)).not.toEqual([]);
  });

  it('and those wrong in shape are underlined by an editor', () => {
    expect(SHAPE.filter((text) => !isUnderlined(text))).toEqual([]);
    expect(MEANING.filter(isUnderlined)).toEqual([]);
  });
});
