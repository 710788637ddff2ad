import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { leaseText } from '../../src/facts/lease.ts';
import { parseRecord, recordText } from '../../src/facts/record.ts';
import { undoText } from '../../src/facts/undo-text.ts';
import { describeOnOpenSsh } from '../host/support/openssh-bench.ts';
import {
  CHANGE,
  EARLIER,
  LEASE_OF_RUN,
  RUN,
  makeGrubHost,
  type GrubHost,
} from './support/grub-host.ts';

const DROP_IN = '/etc/default/grub.d/zz-vfleet.cfg';

/** What a rollout has on the host when the shell is run, one state after the other. */
const STATES: readonly (readonly [string, (host: GrubHost) => Promise<void>])[] = [
  ['after begin, before the trial', () => Promise.resolve()],
  ['with the trial entry installed', (host) => host.trial()],
  [
    'with the trial armed',
    async (host) => {
      await host.trial();
      await host.arm();
    },
  ],
  [
    'while the trial runs, its one-shot used up',
    async (host) => {
      await host.trial();
      await host.arm('');
      await host.runs(`${CHANGE.after.join(' ')} panic=30 oops=panic vfleet.trial=t1`);
    },
  ],
  [
    'with the drop-in written and update-grub not yet run',
    async (host) => {
      await host.trial();
      await host.put(DROP_IN, host.change.dropIn.after);
    },
  ],
  ['as the default, while the rollout holds the host', (host) => host.makeDefault()],
  [
    'as the default, after the rollout has ended',
    async (host) => {
      await host.makeDefault();
      await host.giveUp();
    },
  ],
  [
    'with the drop-in removed and update-grub not yet run',
    async (host) => {
      await host.makeDefault();
      await host.restoreDropIn();
    },
  ],
];

describeOnOpenSsh('UNDO.txt on a host', (bench) => {
  const make = async (earlier: string | null = null): Promise<GrubHost> =>
    makeGrubHost(await bench.host(), earlier);

  it.each(STATES)('takes everything back byte for byte: %s', async (_state, bring) => {
    const host = await make();
    await bring(host);
    const { code, stderr } = await host.undo();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(await host.tree()).toEqual(host.before);
  });

  it.each(STATES)('puts the drop-in of an earlier rollout back: %s', async (_state, bring) => {
    const host = await make(EARLIER);
    await bring(host);
    expect(await host.undo()).toMatchObject({ code: 0, stderr: '' });
    expect(await host.tree()).toEqual(host.before);
    expect(String(await host.get(DROP_IN))).toBe(EARLIER);
  });

  it('says the same again when it is run twice, and changes nothing then', async () => {
    const host = await make();
    await host.makeDefault();
    await host.undo();
    const note = await host.get('/var/lib/vfleet/undone');
    const again = await host.undo();
    expect(again).toMatchObject({ code: 0, stderr: '' });
    expect(again.stdout).toContain('Undone: enable-iommu#3.');
    expect(await host.get('/var/lib/vfleet/undone')).toEqual(note);
    expect(await host.tree()).toEqual(host.before);
  });

  it('says whether a reboot is needed', async () => {
    const host = await make();
    expect((await host.undo()).stdout).toContain('No reboot is needed');
    await host.runs(CHANGE.after.join(' '));
    expect((await host.undo()).stdout).toContain('REBOOT NEEDED');
  });

  it('leaves a note by which vfleet knows that it was undone by hand', async () => {
    const host = await make();
    await host.makeDefault();
    await host.undo();
    const note = String(await host.get('/var/lib/vfleet/undone'));
    const record = parseRecord(recordText({ version: 1, runs: [RUN] }), note);
    const undone = record?.runs[0]?.undone;
    expect(undone?.who).toBe('ops2');
    expect(undone?.at).toMatch(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  });

  it('refuses, changing nothing, when somebody else changed the drop-in since', async () => {
    const host = await make();
    await host.makeDefault();
    await host.put(DROP_IN, 'GRUB_CMDLINE_LINUX_DEFAULT="mine"\n');
    const before = await host.tree();
    const { code, stderr } = await host.undo();
    expect(code).toBe(1);
    expect(stderr).toContain('was changed by somebody else since');
    expect(await host.tree()).toEqual(before);
    expect(await host.get('/var/lib/vfleet/lease')).toBeDefined();
  });

  it('refuses while another rollout works on the host', async () => {
    const host = await make();
    await host.makeDefault();
    const lease = leaseText({ ...LEASE_OF_RUN, rollout: 'sriov#1' }, { madeFolder: false });
    await host.put('/var/lib/vfleet/lease', lease);
    const { code, stderr } = await host.undo();
    expect(code).toBe(1);
    expect(stderr).toContain('sriov#1 works on this host now');
    expect(String(await host.get(DROP_IN))).toBe(CHANGE.dropIn.after);
  });

  it('refuses without root', async () => {
    const host = await make();
    await host.makeDefault();
    await host.program('id', { stdout: '1000\n' });
    const { code, stderr } = await host.undo();
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'UNDO: run it as root: sudo sh /var/lib/vfleet/UNDO.txt\n',
    });
    expect(String(await host.get(DROP_IN))).toBe(CHANGE.dropIn.after);
  });

  it('keeps the lease and says why when update-grub fails, and ends well once it works', async () => {
    const host = await make();
    await host.makeDefault();
    await host.breakUpdateGrub();
    const { code, stderr } = await host.undo();
    expect(code).toBe(1);
    expect(stderr).toContain('UNDO: update-grub failed');
    expect(await host.get('/var/lib/vfleet/lease')).toBeDefined();
    await host.mendUpdateGrub();
    expect(await host.undo()).toMatchObject({ code: 0 });
    expect(await host.tree()).toEqual(host.before);
  });

  it('names the line of before when somebody else has changed the line meanwhile', async () => {
    const host = await make();
    await host.makeDefault();
    await host.put('/etc/default/grub', 'GRUB_CMDLINE_LINUX="nosmt"\n');
    const { code, stdout } = await host.undo();
    expect(code).toBe(0);
    expect(stdout).toContain(`NOTE before enable-iommu#3 it was: ${CHANGE.before.join(' ')}`);
  });
});

describe('the text of UNDO.txt', () => {
  it('is shell that every sh reads, whatever stands in a rollout, a person or a kernel line', () => {
    const hostile = `'; touch /tmp/x; $(id) \`id\` "\\ \n# `;
    const run = {
      ...RUN,
      rollout: `${hostile}#3`,
      who: hostile,
      changes: [{ ...CHANGE, before: [hostile], add: [hostile] }],
    };
    const text = undoText(run);
    expect(() => execFileSync('/bin/sh', ['-n'], { input: text })).not.toThrow();
    // The values alone, read back by a shell: nothing in them was run, and nothing is missing but the line end.
    const from = text!.indexOf("\nrollout='");
    const assignments = text!.slice(from, text!.indexOf('\nprint_dropin_before'));
    const script = `${assignments}\nprintf %s "$line_before"`;
    expect(String(execFileSync('/bin/sh', { input: script }))).toBe(hostile.replace('\n', ' '));
  });

  it('is not made of a drop-in that vfleet did not write', () => {
    const dropIn = { ...CHANGE.dropIn, before: 'END-OF-DROP-IN\nrm -rf /\n' };
    expect(undoText({ ...RUN, changes: [{ ...CHANGE, dropIn }] })).toBeUndefined();
  });

  it('says first what it does, for whom and how it is run', () => {
    expect(undoText(RUN)!.split('\n').slice(0, 13)).toMatchInlineSnapshot(`
      [
        "#!/bin/sh",
        "# Takes back what vfleet changed on this host, without vfleet. Plain shell: read it, then run it as root:",
        "#",
        "#   sh /var/lib/vfleet/UNDO.txt",
        "#",
        "# rollout   enable-iommu#3, by ops1, begun here 2026-11-22T20:00:00.000Z; written before its first change",
        "# changes   the kernel line: add intel_iommu=on iommu=pt; drop nothing",
        "# does      removes /etc/default/grub.d/zz-vfleet.cfg, which was not there before; removes the trial entry and its one-shot boot, runs update-grub",
        "#           notes the undo for vfleet and gives this host up (lease, message of the day)",
        "# reboots   never. It says at its end whether one is needed",
        "# when      at any time, also long after the rollout has ended, and as often as you like. When somebody else has",
        "#           changed something of it since, or another rollout works here, it says so and changes nothing",
        "",
      ]
    `);
  });
});
