import { describe, expect, it } from 'vitest';
import { HEAD, problemsOf } from './problems-of.ts';

const waves = (...entries: string[]): string => `waves: [${entries.join(', ')}]`;
const ALL = '{ name: all, upTo: 100% }';

describe('a spec with one mistake is refused with exactly one problem', () => {
  it.each([
    ['version: 2', 's.yaml:4:10 version: this release reads version 1 of the format, found 2'],
    [
      'version: "1"',
      's.yaml:4:10 version: this release reads version 1 of the format, found "1"; did you mean 1?',
    ],
    ['wave: []', 's.yaml:4:1 wave: "wave" is not known; did you mean "waves"?'],
    ['owner: { teem: x }', 's.yaml:4:10 owner.teem: "teem" is not known; did you mean "team"?'],
    [
      'owner: { phone: x }',
      's.yaml:4:10 owner.phone: "phone" is not known; known here: team, contact, ticket',
    ],
    [
      'owner: { ticket: 4711 }',
      's.yaml:4:18 owner.ticket: expected text, found 4711; put it in quotes',
    ],
    ['owner: { team: "" }', 's.yaml:4:16 owner.team: expected one line of 1 to 200 characters'],
    ['owner:', 's.yaml:4:1 owner: is empty; give it a value, or take the line out'],
    [
      'limits: 5%',
      's.yaml:4:9 limits: expected a mapping (key: value), found "5%"; for example { maxFailures: 2% }',
    ],
    [
      'limits: { parallel: 501 }',
      's.yaml:4:21 limits.parallel: expected a whole number from 1 to 500, found 501',
    ],
    [
      'limits: { parallel: 2.5 }',
      's.yaml:4:21 limits.parallel: expected a whole number from 1 to 500, found 2.5',
    ],
    [
      'limits: { parallel: 5% }',
      's.yaml:4:21 limits.parallel: expected a whole number from 1 to 500, found "5%"',
    ],
    [
      'limits: { maxUnavailable: 0 }',
      's.yaml:4:27 limits.maxUnavailable: 0 would let no host start',
    ],
    [
      'limits: { maxFailures: 101% }',
      's.yaml:4:24 limits.maxFailures: 101% is more than all of them; the most is 100%',
    ],
    [
      'limits: { maxFailures: few }',
      's.yaml:4:24 limits.maxFailures: expected a number of hosts such as 2, or a share such as 5%, found "few"',
    ],
    [
      'limits: { maxFailures: [] }',
      's.yaml:4:24 limits.maxFailures: expected a number of hosts such as 2, or a share such as 5%, found a list',
    ],
    [
      'reboot: { timeout: 20 }',
      's.yaml:4:20 reboot.timeout: needs a unit; did you mean 20s, 20m or 20h?',
    ],
    [
      'reboot: { timeout: 20min }',
      's.yaml:4:20 reboot.timeout: expected a time such as 90s, 30m or 1h30m, found "20min"; did you mean 20m?',
    ],
    [
      'reboot: { timeout: 2d }',
      's.yaml:4:20 reboot.timeout: expected a time from 1m to 1d, found 2d',
    ],
    [
      'reboot: { trial: no }',
      's.yaml:4:18 reboot.trial: expected true or false, found "no"; did you mean false?',
    ],
    [
      'reboot: { trial: false }',
      's.yaml:4:18 reboot.trial: false would make a kernel line the default before it was proven, and a host that does not start by it is lost; remove this. Where a host cannot boot on trial, plan says what to do about it',
    ],
    [
      'onHostFailure: retry',
      's.yaml:4:16 onHostFailure: expected one of hold, rollback, found "retry"',
    ],
    ['waves: []', 's.yaml:4:8 waves: is empty; leave it out for a canary and the rest'],
    [waves('{ name: a }', ALL), 's.yaml:4:9 waves.0: has no size; write hosts: 1 or upTo: 10%'],
    [
      waves('{ name: a, hosts: 1, upTo: 5% }', ALL),
      's.yaml:4:36 waves.0.upTo: stands beside hosts; write one of the two',
    ],
    [
      waves('{ name: a, upTo: 5%, each: kind }', ALL),
      's.yaml:4:36 waves.0.each: goes with hosts: N; a wave with upTo takes hosts in their order',
    ],
    [
      waves('{ name: a, hosts: 1, each: label }', ALL),
      's.yaml:4:36 waves.0.each: not yet: each: label is not built in this release',
    ],
    [
      waves('{ name: all, hosts: 1 }', ALL),
      's.yaml:4:42 waves.1.name: "all" is the name of waves.0 too',
    ],
    [
      waves('{ name: a, upTo: 20% }', '{ name: b, upTo: 10% }', ALL),
      's.yaml:4:50 waves.1.upTo: goes no further than a; shares are cumulative, so each must be larger',
    ],
    [
      waves('{ name: a, upTo: 0% }', ALL),
      's.yaml:4:26 waves.0.upTo: 0 adds no host; leave the wave out',
    ],
    [
      waves('{ name: a, hosts: 1 }'),
      's.yaml:4:9 waves.0: is the last wave and must end with upTo: 100%; use hosts.select for fewer hosts',
    ],
    [
      waves(ALL, '{ name: more, upTo: 100% }'),
      's.yaml:4:56 waves.1.upTo: has no host left, since all before it goes up to 100%',
    ],
    [waves('{ hosts: 1 }', ALL), 's.yaml:4:9 waves.0.name: is missing'],
    [
      'hooks: { drain: { on: worker, run: drain } }',
      's.yaml:4:36 hooks.drain.run: expected a list, found "drain"; did you mean [drain]?',
    ],
    ['hooks: { drain: { on: worker, run: [] } }', 's.yaml:4:31 hooks.drain.run.0: is missing'],
    [
      'hooks: { drain: { on: worker, run: [../x] } }',
      's.yaml:4:37 hooks.drain.run.0: "../x" is not the name of a file in the worker\'s hooks folder; write the name, not a path',
    ],
    [
      'hooks: { drain: { run: [x] } }',
      's.yaml:4:10 hooks.drain.on: is missing; one of worker, host',
    ],
    [
      'hooks: { health: { on: host, run: ["a\\nb"] } }',
      's.yaml:4:36 hooks.health.run.0: holds a line break, which no argument may',
    ],
    ...['windows', 'freeze', 'gates'].map((key) => [
      `${key}: []`,
      `s.yaml:4:1 ${key}: not yet: ${key} is not built in this release`,
    ]),
    [
      'limits: { per: [] }',
      's.yaml:4:11 limits.per: not yet: limits.per is not built in this release',
    ],
    [
      waves('{ name: a, hosts: 1, select: x }', ALL),
      's.yaml:4:30 waves.0.select: not yet: waves.select is not built in this release',
    ],
    ['name: b', 's.yaml:4:1: "name" stands here twice; which one counts?'],
    ['---\nname: b', 's.yaml:4:1: a second document starts here; write one per file'],
    [
      'owner: *nobody',
      's.yaml:4:8: *nobody names no anchor (&nobody) before it; put a text that begins with * in quotes',
    ],
    [
      'owner: !!js/x y',
      's.yaml:4:8: is not YAML: what begins with ! is a tag; put the text !!js/x in quotes',
    ],
    ['? [a]\n: b', 's.yaml:4:3: a key must be plain text'],
  ])('%s', (line, problem) => {
    expect(problemsOf(HEAD + line)).toEqual([problem]);
  });
});

describe('the first three parts', () => {
  const spec = (hosts: string, target: string): string =>
    `name: a\nhosts: ${hosts}\ntarget: ${target}\n`;
  const INVENTORY = '{ inventory: i }';

  it.each([
    ['', 's.yaml:1:1: is empty; a spec needs name, hosts and target (see examples/)'],
    ['- a', 's.yaml:1:1: expected a mapping (key: value), found a list'],
    ['just text', 's.yaml:1:1: expected a mapping (key: value), found "just text"'],
    [
      spec('{}', '{ iommu: enabled }'),
      's.yaml:2:1 hosts.inventory: is missing; for example inventory.ini',
    ],
    [
      spec('{ inventory: i, select: "web:&" }', '{ iommu: enabled }'),
      's.yaml:2:32 hosts.select: "&" names nothing',
    ],
    [
      spec(INVENTORY, '{}'),
      's.yaml:3:9 target: asks for nothing; name iommu, hostDma, kernelArgs, hugepages, devices, guests, modules or firmware',
    ],
    [
      spec(INVENTORY, '{ iommu: on }'),
      's.yaml:3:18 target.iommu: expected one of enabled, disabled, found "on"; did you mean enabled?',
    ],
    [
      spec(INVENTORY, '{ iommu: disabled, hostDma: passthrough }'),
      's.yaml:3:37 target.hostDma: says how the IOMMU serves the host, and iommu: disabled turns it off',
    ],
  ])('%j', (text, problem) => {
    expect(problemsOf(text)).toEqual([problem]);
  });

  it.each([
    [
      'iommu: enabled',
      'present: [intel_iommu=off]',
      'present.0: intel_iommu=off contradicts iommu: enabled',
    ],
    [
      'iommu: enabled',
      'absent: [intel_iommu=on]',
      'absent.0: intel_iommu=on is what iommu: enabled puts there',
    ],
    [
      'iommu: disabled',
      'present: [intel_iommu=on]',
      'present.0: intel_iommu=on contradicts iommu: disabled',
    ],
    [
      'hostDma: passthrough',
      'present: [iommu=nopt]',
      'present.0: iommu=nopt contradicts hostDma: passthrough',
    ],
    [
      'hostDma: translated',
      'present: [iommu.passthrough=1]',
      'present.0: iommu.passthrough=1 contradicts hostDma: translated',
    ],
    ['iommu: enabled', 'present: [a=1], absent: [a=1]', 'absent.0: a=1 is in present too'],
    ['iommu: enabled', 'present: [a-b=1, a_b=1]', 'present.1: a_b=1 stands here twice'],
    [
      'iommu: enabled',
      'present: [iommu=pt, iommu=nopt]',
      'present.1: iommu=nopt contradicts iommu=pt',
    ],
    [
      'iommu: enabled',
      'present: [root=/dev/sda]',
      'present.0: "root=/dev/sda" is refused: the host may not find its root file system',
    ],
    [
      'iommu: enabled',
      'absent: [ro]',
      'absent.0: "ro" is refused: the host may not find its root file system',
    ],
    [
      'iommu: enabled',
      'present: [""]',
      'present.0: the argument is empty; write one argument, such as pci=realloc',
    ],
    [
      'iommu: enabled',
      'present: ["a b"]',
      'present.0: "a b" holds white space; list each argument on its own; did you mean [a, b]?',
    ],
    [
      'iommu: enabled',
      'present: ["a;b"]',
      'present.0: "a;b" holds ";"; only letters, digits and . _ , : = / @ + - are allowed, since a shell reads the file it goes into',
    ],
  ])('%s with kernelArgs %s', (target, args, problem) => {
    const found = problemsOf(spec(INVENTORY, `{ ${target}, kernelArgs: { ${args} } }`));
    expect(found.map((text) => text.replace(/^s\.yaml:3:\d+ target\.kernelArgs\./, ''))).toEqual([
      problem,
    ]);
  });
});

describe('many mistakes', () => {
  it('are told all at once, in the order of the file', () => {
    const text = `nmae: x
hosts: { inventory: i }
target: { iommu: enable }
waves: [{ name: a, hosts: 0 }, { name: all, upTo: 100% }]
limits: { parallel: 0 }
limits: {}
hooks: { drain: { on: worker, run: [/x], timeout: 5 } }
`;
    expect(problemsOf(text)).toEqual([
      's.yaml:1:1 name: is missing; for example enable-iommu',
      's.yaml:1:1 nmae: "nmae" is not known; did you mean "name"?',
      's.yaml:3:18 target.iommu: expected one of enabled, disabled, found "enable"; did you mean enabled?',
      's.yaml:4:27 waves.0.hosts: expected a whole number from 1 to 100000, found 0',
      's.yaml:6:1: "limits" stands here twice; which one counts?',
      's.yaml:7:37 hooks.drain.run.0: "/x" is not the name of a file in the worker\'s hooks folder; write the name, not a path',
      's.yaml:7:51 hooks.drain.timeout: needs a unit; did you mean 5s, 5m or 5h?',
    ]);
  });
});
