import { describe, expect, it } from 'vitest';
import { renderHostRow } from '../../../src/cli/render/host-row.ts';
import { renderLive } from '../../../src/cli/render/live.ts';
import { renderStatus } from '../../../src/cli/render/status.ts';
import { createStyle } from '../../../src/cli/render/style.ts';
import { NOTHING_ASKED } from '../../../src/domain/spec.ts';
import { Scene } from './rollout-scenes.ts';
import { SPEC, plain } from './samples.ts';

/** Golden files stand beside this test; after a wanted change: npx vitest run test/cli/render -u */
const golden = (name: string): string => `./golden/${name}.txt`;

function textOf(scene: Scene, width: number): string {
  return renderStatus({ ...scene.seen(), engine: 'prod-fra:7233', workers: 2, width }, plain);
}

/** The scene after something was done to it. */
function after(scene: Scene, ...deeds: readonly ((scene: Scene) => unknown)[]): Scene {
  for (const deed of deeds) deed(scene);
  return scene;
}

/** Hosts start; the first few are held, the others come to their end. */
const held =
  (code: string, step: 'iommu' | 'wait', hosts: number) =>
  (scene: Scene): void => {
    const started = scene.step();
    for (const index of started.slice(0, hosts)) scene.hold(index, code, step);
    for (const index of started.slice(hosts)) scene.report(index, 'done');
  };

/** Runs all that may run to its end. */
function runOut(scene: Scene): void {
  while (scene.decision().start.length > 0) scene.round();
}

const NO_CANARY = { waves: SPEC.waves.slice(2) };
/** Three places of which two are taken by hosts that did not answer. */
const STUCK = {
  ...NO_CANARY,
  limits: { ...SPEC.limits, maxUnavailable: { kind: 'count', count: 3 } as const },
};

/** The spec wants a spent budget to take everything back, and one host fails in the canary. */
function takenBack(scene: Scene): void {
  held('iommu.no-groups', 'iommu', 1)(scene);
  for (let turn = 0; turn < 3; turn++) {
    scene.step();
    scene.state.cells.forEach((cell, index) => {
      if (cell.state === 'running') scene.report(index, 'rolled-back');
    });
  }
}

function stopped(scene: Scene): void {
  const [first = 0, second = 0, third = 0] = scene.step();
  scene.report(third, 'running', { step: 'reboot' });
  scene.ask({ verb: 'pause', now: true, reason: 'storage is rebuilding' });
  scene.step();
  scene.report(first, 'running', { pausedBefore: 'drain' });
  scene.report(second, 'running', { step: 'cmdline', pausedBefore: 'cmdline' });
}

const SCENES: Readonly<Record<string, () => Scene>> = {
  'status-2-holds': () => new Scene().inFleet(3).twoHolds(),
  'status-budget-spent': () => after(new Scene().inFleet(1), held('iommu.no-groups', 'iommu', 8)),
  'status-paused-now': () => after(new Scene().inFleet(1), stopped),
  'status-baking': () => after(new Scene(), (scene) => scene.round()),
  'status-awaiting-promotion': () => new Scene().canary(),
  'status-stuck': () => after(new Scene(76, STUCK), held('reboot.no-return', 'wait', 1), runOut),
  'status-only-held-left': () =>
    after(new Scene(90, NO_CANARY), held('reboot.no-return', 'wait', 1), runOut),
  'status-aborting': () =>
    after(new Scene().inFleet(1), held('reboot.no-return', 'wait', 1), (scene) =>
      scene.ask({ verb: 'abort', rollback: false, reason: 'wrong kernel' }),
    ),
  'status-ended-done': () => after(new Scene(90, NO_CANARY), runOut),
  'status-ended-failed': () => after(new Scene(90, { onBudgetSpent: 'rollback' }), takenBack),
};

describe('the status of a rollout', () => {
  it.each(Object.keys(SCENES))('reads as %s.txt on a wide terminal', async (name) => {
    await expect(`${textOf(SCENES[name]!(), 140)}\n`).toMatchFileSnapshot(golden(name));
  });

  it.each(['status-2-holds', 'status-paused-now'])(
    'reads as %s-80.txt on a narrow one',
    async (name) => {
      await expect(`${textOf(SCENES[name]!(), 80)}\n`).toMatchFileSnapshot(golden(`${name}-80`));
    },
  );

  it.each([60, 80, 110, 140])(
    'keeps every line within %i columns, and every word whole',
    (width) => {
      for (const make of Object.values(SCENES)) {
        const text = textOf(make(), width);
        for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(width);
        const words = (of: string): readonly string[] => of.match(/[^\s]+/g) ?? [];
        if (width >= 80)
          expect(words(text).toSorted()).toEqual(words(textOf(make(), 1000)).toSorted());
      }
    },
  );

  it('speaks of times as the reader knows them, never in UTC', () => {
    for (const make of Object.values(SCENES)) expect(textOf(make(), 140)).not.toMatch(/\dT\d\d:/);
  });

  it('says that a wave with held hosts is over but for those', () => {
    expect(textOf(SCENES['status-only-held-left']!(), 140)).toContain('over but for 1 held');
  });

  it('says that a pause --now stops running hosts, and a pause lets them come to their end', () => {
    const paused = (now: boolean): string => {
      const scene = new Scene().inFleet(1);
      scene.step();
      return textOf(
        after(scene, () => scene.ask({ verb: 'pause', now })),
        200,
      );
    };
    expect(paused(true)).toContain('running hosts stop before their next disruptive step, or come');
    expect(paused(false)).toContain('running hosts come to their end');
  });

  it('says of hosts that have ended what is left on them', () => {
    const scene = new Scene(90, NO_CANARY);
    const [first = 0, second = 0] = scene.step();
    scene.report(first, 'skipped', { undoFailures: ['lease not given up: no answer'] });
    scene.report(second, 'skipped');
    const text = textOf(scene, 140);
    expect(text).toMatch(/^LEFT THERE {3}hv-a-\d+: lease not given up: no answer$/m);
  });

  it('warns of what its target does, unless it takes that back', () => {
    const target = {
      ...NOTHING_ASKED,
      modules: { ...NOTHING_ASKED.modules, unsafeInterrupts: true },
    };
    const warning = /^WARNING {3}unsafe interrupts: /m;
    expect(textOf(new Scene(90, { target }), 200)).toMatch(warning);
    expect(textOf(new Scene(90), 200)).not.toMatch(warning);
    expect(textOf(new Scene(90, { target }, 'rollback'), 200)).not.toMatch(warning);
    const { status: rollout, now } = new Scene(90, { target }).seen();
    const live = { status: rollout, now, events: [], width: 200, rows: 30 };
    expect(renderLive(live, plain)).toContain('\nWARNING unsafe interrupts: ');
    expect(renderHostRow({ row: rollout.hosts[0]!, rollout, now, width: 200 }, plain)).toMatch(
      warning,
    );
  });

  it('counts hosts whose devices are changed by themselves', () => {
    const scene = new Scene(90, NO_CANARY);
    const [first = 0, second = 0] = scene.step();
    scene.report(first, 'running', { step: 'vfs' });
    scene.report(second, 'running', { step: 'iommu' });
    expect(textOf(scene, 140)).toMatch(
      /inspect to drain {3}1 iommu to undrain {3}1 vfs to undrain/,
    );
  });

  it('offers for a place that a held host takes only what gives it back', () => {
    const text = textOf(SCENES['status-stuck']!(), 1000);
    expect(text).toContain('"retry" or "rollback" gives a place back, "skip" does not');
    expect(text).toMatch(/Down: hv-a-\d+, hv-a-\d+; bring them back, then "retry"/);
  });

  it('writes no escape sequence without colours, and some with them', () => {
    const view = { ...SCENES['status-baking']!().seen(), engine: 'e', width: 80 };
    expect(renderStatus(view, plain)).not.toContain('\u001b');
    expect(renderStatus(view, createStyle(true))).toContain('\u001b[');
  });
});
