import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type VfsPlan, vfsScript } from '../../src/domain/udev-files.ts';

/**
 * The script of a PF by a real shell, in a throw-away folder with files in place of sysfs: what it tells `ip`, which VFs it
 * binds, and what it says. What a kernel makes of it is seen in the lab (test/host/contract/kernel-boot-contract.ts).
 */
const PF = '0000:3b:00.0';
const vfAddress = (index: number): string => `0000:3b:02.${index}`;
const VFIO = { driver: 'vfio-pci' as const };
const NATIVE = { driver: 'native' as const };

let root: string;
const at = (path: string): string => join(root, path);
const read = (path: string): string => (existsSync(at(path)) ? readFileSync(at(path), 'utf8') : '');
function put(path: string, text: string): void {
  mkdirSync(dirname(at(path)), { recursive: true });
  writeFileSync(at(path), text);
}
function program(name: string, lines: readonly string[]): void {
  put(`bin/${name}`, ['#!/bin/sh', ...lines, ''].join('\n'));
  chmodSync(at(`bin/${name}`), 0o755);
}

/** `ip` writes down what it is told, and refuses what a pattern of a shell's `case` matches. */
const ipRefuses = (pattern: string, then = ''): void => {
  program('ip', [
    `case "$*" in ${pattern}) ${then} echo 'RTNETLINK answers: Try again' >&2; exit 2 ;; esac`,
    `echo "$*" >>'${at('said')}'`,
  ]);
};

function pfWith(vfs: number, found = vfs): void {
  const device = `sys/bus/pci/devices/${PF}`;
  put(`${device}/sriov_numvfs`, `${found}\n`);
  put(`${device}/sriov_drivers_autoprobe`, '1\n');
  mkdirSync(at(`${device}/net/ens1`), { recursive: true });
  mkdirSync(at('sys/bus/pci/drivers/vfio-pci'), { recursive: true });
  for (let index = 0; index < vfs; index += 1) {
    put(`sys/bus/pci/devices/${vfAddress(index)}/driver_override`, '(null)\n');
    symlinkSync(`../${vfAddress(index)}`, at(`${device}/virtfn${index}`));
  }
}

/** One event of udev; then the functions that were probed with an override are on vfio-pci. */
function event(plan: Omit<VfsPlan, 'pf' | 'count'>) {
  const script = vfsScript({ pf: PF, count: plan.vfs.length, ...plan })
    .replaceAll(/\/sys\/|\/dev\/kmsg/g, (path) => `${root}${path}`)
    .replace(/^PATH=/m, `PATH=${at('bin')}:`)
    // What is written to the kernel is to be seen, not only the last of it.
    .replaceAll(/>(\S*(?:drivers_probe|kmsg))/g, '>>$1');
  for (const file of ['said', 'sys/bus/pci/drivers_probe', 'dev/kmsg']) put(file, '');
  const { status, stderr } = spawnSync('sh', [], { input: script, encoding: 'utf8' });
  const probed = words('sys/bus/pci/drivers_probe');
  for (const address of probed) {
    const device = `sys/bus/pci/devices/${address}`;
    if (read(`${device}/driver_override`).trim() !== 'vfio-pci') continue;
    symlinkSync('../../drivers/vfio-pci', at(`${device}/driver`));
  }
  return { status, stderr, probed, told: read('said'), kmsg: read('dev/kmsg') };
}

const words = (path: string): string[] =>
  read(path)
    .split('\n')
    .filter((word) => word !== '');
const override = (index: number): string =>
  read(`sys/bus/pci/devices/${vfAddress(index)}/driver_override`).trim();

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'vfleet-script-'));
  mkdirSync(at('dev'), { recursive: true });
  program('modprobe', []);
  program('sleep', [`echo "sleep $*" >>'${at('slept')}'`]);
  ipRefuses('never');
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

describe('the script of a PF', () => {
  it('makes VFs, sets them, and then binds them', () => {
    pfWith(2, 0);
    const done = event({ mtu: 9000, vfs: [{ ...VFIO, vlan: 7, maxRate: 100 }, NATIVE] });
    expect(done).toMatchObject({ status: 0, stderr: '', kmsg: '' });
    expect(done.told.split('\n')).toEqual([
      'link set dev ens1 mtu 9000',
      'link set dev ens1 vf 0 vlan 7',
      'link set dev ens1 vf 0 max_tx_rate 100',
      '',
    ]);
    expect(done.probed).toEqual([vfAddress(0), vfAddress(1)]);
    expect([override(0), override(1)]).toEqual(['vfio-pci', '(null)']);
    expect(read(`sys/bus/pci/devices/${PF}/sriov_numvfs`)).toBe('2\n');
  });

  it('sets VFs that an event before made and did not come to set', () => {
    pfWith(2);
    const { told, probed } = event({
      vfs: [
        { ...VFIO, vlan: 7 },
        { ...VFIO, vlan: 8 },
      ],
    });
    expect(told).toBe('link set dev ens1 vf 0 vlan 7\nlink set dev ens1 vf 1 vlan 8\n');
    expect(probed).toEqual([vfAddress(0), vfAddress(1)]);
  });

  it('gives a VF no driver whose settings fail, says so, and goes on with the others', () => {
    pfWith(3, 0);
    ipRefuses('*"vf 1 "*');
    put(`sys/bus/pci/devices/${vfAddress(1)}/driver_override`, 'vfio-pci\n');
    const vfs = [0, 1, 2].map((vlan) => ({ ...VFIO, vlan: 7 + vlan }));
    const done = event({ vfs });
    expect(done).toMatchObject({ status: 1, probed: [vfAddress(0), vfAddress(2)] });
    expect([override(0), override(1), override(2)]).toEqual(['vfio-pci', '', 'vfio-pci']);
    expect(done.kmsg).toBe(
      `<3>vfleet: ${PF}: VF 1 could not be set: RTNETLINK answers: Try again; no driver for VFs 1 \n`,
    );
  });

  it('mends at the next event what failed, and does not touch a VF that a guest may use by now', () => {
    pfWith(2, 0);
    ipRefuses('*"vf 1 "*');
    const vfs = [
      { ...VFIO, mac: '02:00:00:00:00:01' },
      { ...VFIO, vlan: 8 },
    ];
    expect(event({ vfs }).probed).toEqual([vfAddress(0)]);
    ipRefuses('never');
    const again = event({ vfs });
    expect(again).toMatchObject({ status: 0, probed: [vfAddress(1)], kmsg: '' });
    expect(again.told).toBe('link set dev ens1 vf 1 vlan 8\n');
    expect(event({ vfs })).toMatchObject({ status: 0, probed: [], told: '' });
  });

  it('leaves a VF of the host without a driver too, and turns off what would give it one', () => {
    pfWith(2, 0);
    ipRefuses('*"vf 0 "*');
    const done = event({ vfs: [{ ...NATIVE, vlan: 7 }, NATIVE] });
    expect(done).toMatchObject({ status: 1, probed: [vfAddress(1)] });
    expect(read(`sys/bus/pci/devices/${PF}/sriov_drivers_autoprobe`)).toBe('0\n');
  });

  it('tries again while the driver resets a VF, and while the interface is not there yet', () => {
    pfWith(1, 0);
    rmSync(at(`sys/bus/pci/devices/${PF}/net`), { recursive: true });
    program('sleep', [`mkdir -p '${at(`sys/bus/pci/devices/${PF}/net/ens2`)}'`]);
    ipRefuses('*"dev  vf"*');
    const done = event({ vfs: [{ ...VFIO, spoofCheck: false }] });
    expect(done).toMatchObject({ status: 0, probed: [vfAddress(0)] });
    expect(done.told).toBe('link set dev ens2 vf 0 spoofchk off\n');
  });

  it('waits ten seconds for all VFs together, and for none that has nothing to set', () => {
    pfWith(2, 0);
    ipRefuses('*');
    event({
      vfs: [
        { ...VFIO, vlan: 7 },
        { ...VFIO, vlan: 8 },
      ],
    });
    expect(words('slept')).toHaveLength(10);
    put('slept', '');
    rmSync(at(`sys/bus/pci/devices/${PF}/net`), { recursive: true });
    expect(event({ vfs: [VFIO, VFIO] })).toMatchObject({ status: 0, told: '' });
    expect(words('slept')).toEqual([]);
  });

  it('binds a VF whose rate alone is refused, as some drivers do without a link, and says so', () => {
    pfWith(1, 0);
    ipRefuses('*max_tx_rate*');
    const done = event({ vfs: [{ ...VFIO, vlan: 7, maxRate: 100 }] });
    expect(done).toMatchObject({ status: 1, probed: [vfAddress(0)] });
    expect(done.kmsg).toContain('VF 0 has no limit of its rate: RTNETLINK');
    expect(words('slept')).toEqual([]);
  });

  it('says an MTU that is refused, and a number of VFs that is not its own, in one short line', () => {
    pfWith(1, 0);
    ipRefuses('*mtu*', `printf '%5000s' x;`);
    const done = event({ mtu: 9000, vfs: [VFIO] });
    expect(done).toMatchObject({ status: 1, probed: [vfAddress(0)] });
    expect(done.kmsg).toContain('its MTU is not 9000');
    expect(done.kmsg.length).toBeLessThan(900);
    put(`sys/bus/pci/devices/${PF}/sriov_numvfs`, '4\n');
    expect(event({ vfs: [VFIO] })).toMatchObject({
      status: 1,
      probed: [],
      kmsg: `<3>vfleet: ${PF}: it has 4 VFs, not 1\n`,
    });
  });
});
