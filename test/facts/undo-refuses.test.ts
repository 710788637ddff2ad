import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { rulePath } from '../../src/domain/own-files.ts';
import { CONFIG, GPU, GUEST, guestXml, PF, LIVE, UndoHost, VF_0 } from './support/undo-host.ts';
import {
  ALL,
  applied,
  BEFORE_GUESTS,
  bindTo,
  CONTROLLER,
  COPY,
  device,
  UNDONE,
} from './support/undo-run.ts';

/** UNDO.txt where somebody else stands in the way: a guest, another rollout, a change that is not vfleet's. */
let host: UndoHost;
beforeEach(() => {
  host = new UndoHost();
});
afterEach(() => {
  host.dispose();
});

describe('UNDO.txt refuses, with nothing changed', () => {
  const other = guestXml([GPU]).replace(GUEST, 'other');
  it.each<[string, () => void, RegExp]>([
    [
      'a guest of somebody else that runs with a device',
      () => host.put('/run/libvirt/qemu/other.xml', other),
      /guest other uses 0000:65:00\.0; nothing was changed/,
    ],
    [
      'a process that has a group open',
      () => host.link('/proc/812/fd/9', '/dev/vfio/40'),
      /a process with \/dev\/vfio\/40 open uses 0000:3b:02\.0/,
    ],
    [
      'a VF with a driver that nobody asked for',
      () => {
        host.poke(device(VF_0, 'driver/unbind'), VF_0);
        bindTo(host, VF_0, 'iavf');
      },
      /VF 0 of 0000:3b:00\.0 has driver iavf/,
    ],
    ['an MTU of somebody else', () => host.put(device(PF, 'net/ens1/mtu'), '4000\n'), /the MTU of/],
    [
      'a rule that is a link',
      () => {
        host.remove(rulePath(PF));
        host.link(rulePath(PF), '/dev/null');
      },
      /70-vfleet-0000:3b:00\.0\.rules was changed by somebody else/,
    ],
    [
      'another rollout on the host',
      () => host.put('/var/lib/vfleet/lease', 'id=y\nrollout=other#1\n'),
      /other#1 works on this host now/,
    ],
  ])('where it finds %s', (_, prepare, why) => {
    // All but the guest's part.
    applied(host, BEFORE_GUESTS);
    prepare();
    host.said();
    const before = host.tree();
    const { code, stderr } = host.undo(ALL);
    expect(code).toBe(1);
    expect(stderr).toMatch(why);
    expect(host.tree()).toEqual(before);
    expect(host.said()).toBe('');
    expect(host.isHeld).toBe(true);
  });

  it('where a vCPU is pinned by somebody else', () => {
    applied(host);
    host.put(CONFIG, guestXml([GPU, VF_0], '', '5'), 0o600);
    const before = host.tree();
    const { code, stderr } = host.undo(ALL);
    expect(code).toBe(1);
    expect(stderr).toContain('vCPU 0 of guest edge-gw is pinned to 5');
    expect(host.tree()).toEqual(before);
  });
});

describe('UNDO.txt and a guest', () => {
  it('asks again a guest that does not let go, then stops before anything else', () => {
    applied(host);
    host.put('/stubborn', '');
    const { code, stderr } = host.undo(ALL);
    expect(code).toBe(1);
    expect(stderr).toMatch(/guest edge-gw does not let go of 0000:65:00\.0; shut it down/);
    expect(
      host
        .said()
        .split('\n')
        .filter((line) => line.includes('--live')),
    ).toHaveLength(4);
    expect(host.get(rulePath(GPU))).toBeDefined();
    host.remove('/stubborn');
    expect(host.undo(ALL)).toMatchObject(UNDONE);
  });

  it('leaves what somebody else changed since, and says where the old configuration is', () => {
    applied(host);
    const edited = guestXml([GPU, VF_0], CONTROLLER, '2-3').replace(
      '</domain>',
      '  <!-- mine -->\n</domain>',
    );
    host.put(CONFIG, edited, 0o600);
    const { code, stdout } = host.undo(ALL);
    expect(code).toBe(0);
    expect(stdout).toContain(`NOTE somebody else changed guest ${GUEST} since`);
    expect(host.get(CONFIG)).toBe(
      guestXml([], CONTROLLER, '0-7').replace('</domain>', '  <!-- mine -->\n</domain>'),
    );
    expect(host.get(COPY)).toBe(guestXml([]));
  });

  it('says of a guest that is gone what it had', () => {
    applied(host);
    host.remove(CONFIG);
    host.remove(LIVE);
    const { code, stdout } = host.undo(ALL);
    expect(code).toBe(0);
    expect(stdout).toContain(COPY);
  });

  it('takes the files of devices that are gone, and says so', () => {
    applied(host, BEFORE_GUESTS);
    host.dropDevice(GPU);
    host.dropDevice(PF);
    const { code, stdout, stderr } = host.undo(ALL);
    expect({ code, stderr }).toEqual(UNDONE);
    expect(stdout).toContain(`NOTE there is no function ${GPU} any more`);
    expect(stdout).toContain(`NOTE there is no function ${PF} with VFs any more`);
    expect(host.get(rulePath(GPU))).toBeUndefined();
  });
});
