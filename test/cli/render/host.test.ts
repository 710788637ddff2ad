import { describe, expect, it } from 'vitest';
import { cmdlineOf } from '../../../src/domain/changes.ts';
import { omit } from '../../../src/cli/omit.ts';
import { renderHost } from '../../../src/cli/render/host.ts';
import { renderHostRow } from '../../../src/cli/render/host-row.ts';
import { DEVICES, EVERY_KIND } from './device-samples.ts';
import { ARMED, AWAY, answers, heldView, type HeldSample } from './host-samples.ts';
import { NOW, plain, sampleStatus } from './samples.ts';

/** Golden files stand beside this test; after a wanted change: npx vitest run test/cli/render -u */
const golden = (name: string): string => `./golden/${name}.txt`;

const NO_RETURN: HeldSample = {
  code: 'reboot.no-return',
  step: 'wait',
  sentence: 'was told to reboot and has not answered within 20m.',
  evidence: { last: 'ssh.unreachable', seen: 'no route to host', bootIdBefore: '9b0e41c1' },
  look: AWAY,
};

const HOLDS: readonly HeldSample[] = [
  NO_RETURN,
  {
    code: 'ssh.host-key-changed',
    step: 'inspect',
    sentence: 'shows another host key than known_hosts has.',
    look: { kind: 'not-asked', sentence: 'the key of the worker is not here' },
  },
  {
    code: 'drain.guests-running',
    step: 'drain',
    sentence: 'runs 2 guests and the spec has no drain hook; move them away, then retry',
    evidence: { guests: 'web-1 db-2' },
    look: answers('old', { guests: ['web-1', 'db-2'] }),
  },
  {
    code: 'drift',
    step: 'cmdline',
    sentence: 'has a default entry that is neither as before nor as after',
    evidence: { found: 'root=UUID=1 ro mitigations=off', before: 'root=UUID=1 ro quiet' },
    look: answers('old'),
  },
  {
    code: 'reboot.refused',
    step: 'reboot',
    sentence: 'did not take systemctl reboot: exit code 1',
    run: { bootIdBefore: '9b0e41c1-0000-4000-8000-000000000000' },
    look: answers('old', ARMED),
  },
  {
    code: 'reboot.trial-failed',
    step: 'wait',
    sentence: 'came back by itself on the old line: the trial boot failed; it is up and unchanged',
    run: { rebootSent: false },
    look: {
      ...answers('old'),
      bootId: '77aa0000-0000-4000-8000-000000000000',
    } as HeldSample['look'] & object,
  },
  {
    code: 'iommu.no-groups',
    step: 'iommu',
    sentence: 'has an IOMMU that is on and has no groups',
    evidence: { units: 'dmar0', groups: '0' },
    look: answers('new'),
  },
  {
    code: 'health.failed',
    step: 'health',
    sentence: 'failed its health hook: exit code 3',
    evidence: { output: 'libvirtd is not active' },
    run: {
      evidence: { cmdline: { default: 'unchanged' }, iommu: { units: 'dmar0', default: 'x' } },
    },
  },
  {
    code: 'undo.failed',
    step: 'cmdline',
    sentence: 'could not take back 1 of its changes: update-grub failed',
    run: { undoing: true, undoFailures: ['cmdline.update-grub-failed: no space'] },
    look: answers('old'),
  },
];

/** Held where devices are changed; each stands in a golden file of its own. */
const DEVICE_HOLDS: Readonly<Record<string, HeldSample>> = {
  'host-devices-with-reboot': {
    code: 'vfs.fewer-than-asked',
    step: 'vfs',
    sentence: 'has 6 VFs of 0000:3b:00.1 where 8 were asked for',
    evidence: { 'asked 0000:3b:00.1': '8', found: '6' },
    changes: EVERY_KIND,
    run: {
      evidence: { cmdline: { default: 'unchanged' }, iommu: { units: 'dmar0', default: 'x' } },
    },
    look: { ...answers('new'), runningArgs: cmdlineOf(EVERY_KIND)!.after } as HeldSample['look'] &
      object,
  },
  'host-devices-no-reboot': {
    code: 'guest.attach-failed',
    step: 'attach',
    sentence: 'did not take the device into edge-gw',
    changes: DEVICES,
    look: answers('old', { guests: ['edge-gw'] }),
  },
  'host-devices-undo': {
    code: 'undo.failed',
    step: 'vfs',
    sentence: 'could not take back 1 of its changes: vfs.busy',
    changes: DEVICES,
    run: { undoing: true, undo: [{ change: DEVICES[0]! }], undoFailures: ['vfs.busy: in use'] },
    look: answers('old'),
  },
};

describe('a host held where devices are changed', () => {
  it.each(Object.keys(DEVICE_HOLDS))('reads as %s.txt', async (name) => {
    const text = renderHost(heldView(DEVICE_HOLDS[name]!, 140), plain);
    await expect(`${text}\n`).toMatchFileSnapshot(golden(name));
  });

  it.each([60, 80, 110])('keeps every line within %i columns', (width) => {
    for (const hold of Object.values(DEVICE_HOLDS)) {
      for (const line of renderHost(heldView(hold, width), plain).split('\n')) {
        expect(line.length).toBeLessThanOrEqual(width);
      }
    }
  });

  it('says of no kernel line where none is changed', () => {
    const text = renderHost(heldView(DEVICE_HOLDS['host-devices-no-reboot']!, 500), plain);
    expect(text).toContain('no reboot is part of this: a power cycle boots the same kernel line');
    expect(text).not.toMatch(/DEFAULT|trial|on the (?:new|old) kernel line/);
  });

  it('lists only changes that were begun', () => {
    const hold = { ...DEVICE_HOLDS['host-devices-with-reboot']!, step: 'modules' as const };
    const text = renderHost(heldView(hold, 500), plain);
    expect(text).toMatch(/^ +modules {3}new file/m);
    expect(text).not.toContain('sriov_numvfs');
  });

  it('shows the steps of a rollback in its own order', () => {
    const text = renderHost(heldView(DEVICE_HOLDS['host-devices-undo']!, 500), plain);
    expect(text).toContain('UNDO      attach 0s  bind 0s  VFS HELD');
  });

  it('warns of unsafe interrupts', () => {
    const warning = /^WARNING {3}unsafe interrupts: /m;
    const [withThem, without] = Object.values(DEVICE_HOLDS).map((hold) =>
      renderHost(heldView(hold, 500), plain),
    );
    expect(withThem).toMatch(warning);
    expect(without).not.toMatch(warning);
  });
});

describe('a held host', () => {
  it.each(HOLDS)('with $code reads as its golden file', async (hold) => {
    const name = `host-${hold.code.replace('.', '-')}`;
    await expect(`${renderHost(heldView(hold, 140), plain)}\n`).toMatchFileSnapshot(golden(name));
  });

  it('keeps its exits readable on a narrow terminal', async () => {
    const text = `${renderHost(heldView(NO_RETURN, 80), plain)}\n`;
    await expect(text).toMatchFileSnapshot(golden('host-reboot-no-return-80'));
  });

  it.each([60, 70, 80, 110])(
    'gives in %i columns an ssh command that a shell takes as one, however long its paths are',
    (width) => {
      const view = heldView(NO_RETURN, width);
      const knownHostsFile = '/srv/inventories/production/frankfurt-2/known_hosts';
      const text = renderHost(
        { ...view, connection: { ...view.connection!, knownHostsFile, port: 2222 } },
        plain,
      );
      const command = text.slice(text.indexOf('BY HAND') + 7, text.indexOf('undo without'));
      const lines = command.trim().split('\n');
      expect(lines.slice(0, -1).filter((line) => !/\S \\$/.test(line))).toEqual([]);
      expect(lines.at(-1)).not.toMatch(/\\$/);
    },
  );

  it.each([60, 80, 110, 140])('keeps every line within %i columns', (width) => {
    for (const hold of HOLDS) {
      for (const line of renderHost(heldView(hold, width), plain).split('\n')) {
        expect(line.length).toBeLessThanOrEqual(width);
      }
    }
  });

  it('gives each command whole, to be copied', () => {
    for (const hold of HOLDS) {
      const view = heldView(hold, 60);
      const text = renderHost(view, plain);
      expect(text).toContain(`vfleet retry enable-iommu ${view.status.name}\n`);
      expect(text.replaceAll(/ \\\n\s+/g, ' ')).toContain(
        'ssh -J ops@bastion.fra:22 -o UserKnownHostsFile=/etc/vfleet/known_hosts admin@10.1.7.21',
      );
    }
  });

  it('puts the recommended exit first', () => {
    const text = renderHost(
      heldView(
        HOLDS.find((one) => one.step === 'iommu')!,
        140,
      ),
      plain,
    );
    expect(text).toMatch(/1 \* {2}vfleet rollback/);
  });

  it('compares a host that did not return with the others of its kind, which did', () => {
    expect(renderHost(heldView(NO_RETURN, 500), plain)).toMatch(
      /COMPARE {3}\d+ hosts of kind A came back from their reboot: median 4m, slowest 4m\. This one was waited for 20m: it is no slow host\./,
    );
  });

  it('trusts a fresh look more than the record: an armed trial is seen', () => {
    const sample = { ...NO_RETURN, look: answers('old', ARMED) };
    expect(renderHost(heldView(sample, 500), plain)).toContain(
      'the trial is armed: the next boot runs the new line once, the one after it the old',
    );
  });

  it('says what is known without a look', () => {
    const text = renderHost(heldView(omit(NO_RETURN, 'look'), 140), plain);
    expect(text).toContain('NOW       not asked; drained, leased to this rollout');
    expect(text).toMatch(/GUESTS {4}the drain hook moved them away at/);
  });
});

describe('a host that is not held', () => {
  it('offers no exits while it runs', () => {
    const view = heldView(NO_RETURN, 140);
    const status = { ...omit(view.status, 'hold'), state: 'running' as const };
    const text = renderHost({ ...view, status }, plain);
    expect(text).toContain('RUNNING (wait)   a step is under way');
    expect(text).not.toContain('WHAT YOU CAN DO');
  });

  it('says before which step a pause stopped it', () => {
    const view = heldView(NO_RETURN, 140);
    const status = {
      ...omit(view.status, 'hold'),
      state: 'running',
      pausedBefore: 'reboot',
    } as const;
    expect(renderHost({ ...view, status }, plain)).toContain('(wait, stopped before reboot)');
  });

  it('offers the way back when it is done', () => {
    const view = heldView(NO_RETURN, 140);
    const status = { ...omit(view.status, 'hold'), state: 'done' as const };
    expect(renderHost({ ...view, status }, plain)).toContain(
      `WHAT YOU CAN DO     vfleet rollback enable-iommu ${status.name}`,
    );
  });
});

describe('a host without a run of its own', () => {
  it('shows what the rollout knows, how it is now, and the verbs that lead out', async () => {
    const rollout = sampleStatus();
    const row = { ...rollout.hosts[5]!, code: 'host.busy', note: 'enable-vfs#7 by ops2 holds it' };
    const look = { ...answers('old'), at: NOW.toISOString() };
    const text = renderHostRow({ row, rollout, now: NOW, width: 110, look }, plain);
    await expect(`${text}\n`).toMatchFileSnapshot(golden('host-row-busy'));
  });

  it('is not offered a rollback: nothing was changed', () => {
    const rollout = sampleStatus();
    const text = renderHostRow({ row: rollout.hosts[5]!, rollout, now: NOW, width: 110 }, plain);
    expect(text).toContain('vfleet retry');
    expect(text).not.toContain('vfleet rollback');
  });
});
