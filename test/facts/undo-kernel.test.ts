import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { VfsChange } from '../../src/domain/changes.ts';
import { GPU, guestXml, LIVE, PF, UndoHost, VF_0 } from './support/undo-host.ts';
import { ALL, applied, bindTo, device, STEPS, UNDONE, VFS } from './support/undo-run.ts';

/**
 * UNDO.txt of runs with devices on a host whose kernel, libvirt and initramfs react, wherever the run or UNDO.txt itself
 * stopped. That the real ones react so is seen in the lab.
 */
let host: UndoHost;
beforeEach(() => {
  host = new UndoHost();
});
afterEach(() => {
  host.dispose();
});

describe('UNDO.txt on a host that reacts', () => {
  it.each([['nothing', 0] as const, ...STEPS.map(([name], at) => [name, at + 1] as const)])(
    'takes everything back to the last byte when the run stopped after %s',
    (_, steps) => {
      const before = applied(host, steps);
      expect(host.undo(ALL)).toMatchObject(UNDONE);
      expect(host.tree()).toEqual(before);
      expect(host.isHeld).toBe(false);
    },
  );

  it('changes nothing the second time', () => {
    const before = applied(host);
    host.undo(ALL);
    host.said();
    const again = host.undo(ALL);
    expect(again).toMatchObject(UNDONE);
    expect(again.stdout).toContain('Undone: sriov#2.');
    expect(again.stdout).toContain('REBOOT NEEDED: this boot may have read the options of modules');
    expect(host.said()).toBe('');
    expect(host.tree()).toEqual(before);
  });

  it('equals one that did not stop, wherever it stops', { timeout: 180_000 }, () => {
    let deaths = 0;
    for (let call = 1; ; call += 1) {
      host.dispose();
      host = new UndoHost();
      const before = applied(host);
      host.diesAt(call);
      const first = host.undo(ALL);
      host.remove('/dies-at');
      if (first.code === 0) break;
      deaths += 1;
      expect(host.isHeld).toBe(true);
      expect(first.stderr).toMatch(/UNDO: .*run this again/);
      expect(host.undo(ALL)).toMatchObject(UNDONE);
      expect(host.tree()).toEqual(before);
    }
    expect(deaths).toBeGreaterThan(10);
  });

  it('is the same to another shell', () => {
    const before = applied(host);
    expect(host.undo(ALL, '/bin/bash')).toMatchObject(UNDONE);
    expect(host.tree()).toEqual(before);
  });

  it('goes backwards: guests, files and the initramfs, drivers, VFs, pages', () => {
    applied(host);
    host.undo(ALL);
    const said = host.said().split('\n');
    const order = [
      'detach-device',
      'define',
      'update-initramfs',
      `${GPU}/driver_override`,
      'sriov_numvfs',
      'nr_hugepages',
    ];
    const places = order.map((word) => said.findIndex((line) => line.includes(word)));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(places).not.toContain(-1);
  });
});

describe('UNDO.txt of VFs that were there before', () => {
  const vf = (driver: string, override: string | null, more = {}) => ({
    driver,
    override,
    ...more,
  });
  const more: VfsChange = {
    ...VFS,
    before: {
      count: 2,
      autoprobe: false,
      mtu: null,
      vfs: [
        vf('vfio-pci', 'vfio-pci', { mac: '02:00:00:00:00:01', vlan: 0, trust: false }),
        vf('iavf', null, { mac: '00:00:00:00:00:00' }),
      ],
    },
    after: {
      count: 3,
      autoprobe: true,
      mtu: null,
      vfs: [vf('vfio-pci', 'vfio-pci'), vf('native', null), vf('native', null)],
    },
    files: [],
  };
  const found = () => {
    host.poke(device(PF, 'sriov_drivers_autoprobe'), '0');
    host.poke(device(PF, 'sriov_numvfs'), '2');
    bindTo(host, VF_0, 'vfio-pci');
    bindTo(host, '0000:3b:02.1', 'iavf');
    host.poke(device('0000:3b:02.1', 'driver_override'), '');
    host.said();
  };

  it('makes them again, with their drivers and with what was set on them', () => {
    found();
    const before = host.tree();
    host.poke(device(PF, 'sriov_numvfs'), '0');
    host.poke(device(PF, 'sriov_numvfs'), '3');
    host.poke(device(PF, 'sriov_drivers_autoprobe'), '1');
    host.said();
    expect(host.undo([more])).toMatchObject(UNDONE);
    expect(host.tree()).toEqual(before);
    const told = host
      .said()
      .split('\n')
      .filter((line) => line.startsWith('ip '));
    expect(told).toEqual(['ip link set dev ens1 vf 0 mac 02:00:00:00:00:01']);
  });

  it('leaves a VF alone that a guest got since, when all is as before', () => {
    found();
    const before = host.tree();
    host.put(LIVE, guestXml([VF_0]), 0o600);
    expect(host.undo([more])).toMatchObject(UNDONE);
    expect(host.said()).not.toContain('ip link');
    host.put(LIVE, guestXml([]), 0o600);
    expect(host.tree()).toEqual(before);
  });

  it('tells ip only what was changed, where the VFs stayed', () => {
    found();
    const after = {
      ...more.before,
      vfs: [{ ...more.before.vfs[0]!, vlan: 7, driver: 'vfio-pci' }, vf('native', null)],
    };
    expect(host.undo([{ ...more, after }])).toMatchObject(UNDONE);
    expect(host.said()).toBe('ip link set dev ens1 vf 0 vlan 0\n');
  });
});
