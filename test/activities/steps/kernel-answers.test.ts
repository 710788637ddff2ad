import { afterEach, describe, expect, it } from 'vitest';
import { applyBind } from '../../../activities/steps/bind.ts';
import { applyHugepages } from '../../../activities/steps/hugepages.ts';
import { applyVfs } from '../../../activities/steps/vfs.ts';
import type { StepOutcome } from '../../../src/domain/activities.ts';
import { CODES, type Code } from '../../../src/domain/codes.ts';
import type { MemoryHost } from '../../../src/simulator/memory-host.ts';
import { GPU, GPU_CHANGES, hugepagesChange, PF, vfsChange } from '../../support/device-changes.ts';
import { deviceHost } from '../../support/device-run.ts';
import { guard } from '../../support/step-run.ts';

const device = (address: string, file: string): string => `/sys/bus/pci/devices/${address}/${file}`;
const NUMVFS = device(PF, 'sriov_numvfs');
const AUTOPROBE = device(PF, 'sriov_drivers_autoprobe');
const UNBIND = device(GPU, 'driver/unbind');
const OVERRIDE = device(GPU, 'driver_override');
const PROBE = '/sys/bus/pci/drivers_probe';
const PAGES = '/sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages';

let host: MemoryHost;
afterEach(() => {
  host.model.dispose();
});

const makeVfs = () => applyVfs(host, { changes: [vfsChange({})], guard: guard(2) });
const bind = () => applyBind(host, { changes: GPU_CHANGES, guard: guard(2) });
const takePages = () =>
  applyHugepages(host, { changes: [hugepagesChange()], guard: guard(2), live: true });

/** What the kernel answers to a write, as poke.sh passes it on. */
type Answer = readonly [
  name: string,
  path: string,
  words: string,
  step: () => Promise<StepOutcome>,
  code: Code,
  sentence: RegExp,
  remedy: RegExp,
];

const ANSWERS: readonly Answer[] = [
  [
    'EBUSY',
    NUMVFS,
    'Device or resource busy',
    makeVfs,
    'vfs.busy',
    /somebody else/,
    /NetworkManager/,
  ],
  [
    'ERANGE',
    NUMVFS,
    'Numerical result out of range',
    makeVfs,
    'vfs.out-of-range',
    /fewer VFs in all/,
    /fewer in the spec/,
  ],
  [
    'ENOENT',
    NUMVFS,
    'No such file or directory',
    makeVfs,
    'vfs.no-driver',
    /cannot make VFs/,
    /own driver/,
  ],
  [
    'ENOMEM',
    NUMVFS,
    'Cannot allocate memory',
    makeVfs,
    'vfs.no-memory',
    /pci=realloc/,
    /pci=realloc/,
  ],
  ['ENODEV', NUMVFS, 'No such device', makeVfs, 'vfs.gone', /not there any more/, /lspci/],
  ['EPERM', NUMVFS, 'Operation not permitted', makeVfs, 'vfs.refused', /lockdown/, /dmesg/],
  ['EIO', NUMVFS, 'Input/output error', makeVfs, 'vfs.refused', /dmesg says why/, /dmesg/],
  ['no file', AUTOPROBE, 'No such file', makeVfs, 'vfs.gone', /not there any more/, /lspci/],
  [
    'ENODEV',
    UNBIND,
    'No such device',
    bind,
    'bind.gone',
    /no such function|another driver/,
    /lspci/,
  ],
  ['EPERM', OVERRIDE, 'Permission denied', bind, 'bind.refused', /lockdown/, /dmesg/],
  ['EINVAL', PROBE, 'Invalid argument', bind, 'bind.refused', /refused to change/, /dmesg/],
  [
    'ENOMEM',
    PAGES,
    'Cannot allocate memory',
    takePages,
    'hugepages.refused',
    /did not take/,
    /target.hugepages/,
  ],
];

describe('an answer of the kernel', () => {
  it.each(ANSWERS)('%s to %s has its own reason and remedy', async (...row) => {
    const [, path, words, step, code, sentence, remedy] = row;
    host = deviceHost();
    host.model.attributes.set(path, () => ({ error: `printf: write error: ${words}` }));
    const outcome = await step();
    expect(outcome).toMatchObject({ kind: 'hold', code });
    if (outcome.kind !== 'hold') return;
    expect(outcome.sentence).toMatch(sentence);
    expect(outcome.evidence['answer']).toContain(words);
    expect(outcome.evidence['wrote']).toContain(path);
    expect(CODES.get(code)?.exits.join('\n')).toMatch(remedy);
  });

  it.each([
    ['sriov_numvfs', NUMVFS, makeVfs, 'vfs.hung'],
    ['unbind', UNBIND, bind, 'bind.hung'],
    ['drivers_probe', PROBE, bind, 'bind.hung'],
    ['nr_hugepages', PAGES, takePages, 'hugepages.hung'],
  ] as const)('that never comes, to %s, has its own too', async (_, path, step, code) => {
    const passed = { waits: 0 };
    host = deviceHost({
      clock: {
        now: () => Date.now(),
        after: (ms, action) => {
          passed.waits += ms;
          const soon = setImmediate(action);
          return () => clearImmediate(soon);
        },
      },
    });
    host.model.attributes.set(path, () => ({ hangsUntil: new Promise<void>(() => undefined) }));
    const outcome = await step();
    expect(outcome).toMatchObject({ kind: 'hold', code });
    expect(outcome.evidence['answer']).toMatch(/did not return within \d+ s and may still take/);
    expect(passed.waits).toBeGreaterThanOrEqual(10_000);
  });

  it.each([
    [
      'fewer VFs than asked',
      { kind: 'vfs-fewer', pf: PF, count: 3 },
      makeVfs,
      'vfs.fewer-than-asked',
      /firmware|fewer/,
    ],
    [
      'a probe that binds nothing',
      { kind: 'binds-nothing', address: GPU },
      bind,
      'bind.bound-nothing',
      /dmesg/,
    ],
    [
      'fewer pages than asked',
      { kind: 'pages-scarce', sizeKiB: 2048, pages: 3 },
      takePages,
      'hugepages.fewer-than-asked',
      /boot|memory/,
    ],
  ] as const)('that claims success has its own too: %s', async (_, fault, step, code, remedy) => {
    host = deviceHost();
    host.model.faults.add(fault);
    expect(await step()).toMatchObject({ kind: 'hold', code });
    expect(CODES.get(code)?.exits.join('\n')).toMatch(remedy);
  });

  it('has a code of its own wherever a person would do something else', () => {
    const codes = new Set(ANSWERS.map(([, , , , code]) => code));
    expect([...codes].sort()).toEqual([
      'bind.gone',
      'bind.refused',
      'hugepages.refused',
      'vfs.busy',
      'vfs.gone',
      'vfs.no-driver',
      'vfs.no-memory',
      'vfs.out-of-range',
      'vfs.refused',
    ]);
  });
});
