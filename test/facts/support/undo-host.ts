import { spawnSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Change } from '../../../src/domain/changes.ts';
import { undoText } from '../../../src/facts/undo-text.ts';
import { fakePrograms } from './fake-programs.ts';

export const GPU = '0000:65:00.0';
export const PF = '0000:3b:00.0';
export const VF_0 = '0000:3b:02.0';
export const GUEST = 'edge-gw';
export const CONFIG = `/etc/libvirt/qemu/${GUEST}.xml`;
export const LIVE = `/run/libvirt/qemu/${GUEST}.xml`;
const STATE = '/var/lib/vfleet';

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A throw-away folder as the root of a host with a GPU, a PF and a running guest, on which a run has begun. */
export class UndoHost {
  readonly #root = mkdtempSync(join(tmpdir(), 'vfleet-undo-'));

  constructor() {
    for (const [name, text] of Object.entries(fakePrograms(this.#root))) {
      this.put(`/bin/${name}`, text, 0o755);
    }
    this.put(`${STATE}/lease`, 'id=x\nrollout=sriov#2\n');
    this.put('/proc/sys/kernel/random/boot_id', 'boot-1\n');
    this.put('/boot/initrd.img-6.1', 'etc/fstab\n');
    for (const folder of ['/etc/udev/rules.d', '/etc/modprobe.d', '/etc/tmpfiles.d']) {
      mkdirSync(this.#at(folder), { recursive: true });
    }
    for (const driver of ['nouveau', 'ice', 'iavf', 'vfio-pci']) {
      mkdirSync(this.#at(`/sys/bus/pci/drivers/${driver}`), { recursive: true });
    }
    this.#device(GPU, 'nouveau', '7');
    this.#device(PF, 'ice', '8');
    this.put(`/sys/bus/pci/devices/${PF}/sriov_numvfs`, '0\n');
    this.put(`/sys/bus/pci/devices/${PF}/sriov_drivers_autoprobe`, '1\n');
    this.put(`/sys/bus/pci/devices/${PF}/net/ens1/mtu`, '1500\n');
    this.put('/sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages', '0\n');
    this.put(CONFIG, guestXml([]), 0o600);
    this.put(LIVE, guestXml([]), 0o600);
  }

  /** The folder that stands for its root, for programs of a test's own. */
  get root(): string {
    return this.#root;
  }

  #at(path: string): string {
    return join(this.#root, path);
  }

  #device(address: string, driver: string, group: string): void {
    const folder = `/sys/bus/pci/devices/${address}`;
    this.put(`${folder}/driver_override`, '(null)\n');
    this.put(`${folder}/modalias`, 'pci:v000010DEd00002204\n');
    this.put(`${folder}/native`, `${driver}\n`);
    this.link(`${folder}/driver`, `../../drivers/${driver}`);
    this.link(`${folder}/iommu_group`, `../../../../kernel/iommu_groups/${group}`);
  }

  put(path: string, text: string, mode = 0o644): void {
    mkdirSync(dirname(this.#at(path)), { recursive: true });
    writeFileSync(this.#at(path), text, { mode });
  }

  get(path: string): string | undefined {
    return existsSync(this.#at(path)) ? readFileSync(this.#at(path), 'utf8') : undefined;
  }

  remove(path: string): void {
    rmSync(this.#at(path), { force: true });
  }

  link(path: string, target: string): void {
    mkdirSync(dirname(this.#at(path)), { recursive: true });
    symlinkSync(target, this.#at(path));
  }

  /** A card that was taken out. */
  dropDevice(address: string): void {
    rmSync(this.#at(`/sys/bus/pci/devices/${address}`), { recursive: true });
  }

  /** What the kernel does when a file of its is written to. */
  poke(path: string, value: string): void {
    const { status, stderr } = this.#run(`printf '%s\\n' "$1" | tee "$2"`, [value, this.#at(path)]);
    if (status !== 0) throw new Error(`${path}: ${stderr}`);
  }

  updateInitramfs(): void {
    this.#run('update-initramfs -u -k all', []);
  }

  /** Makes the fake programs' call of that number, counted from now, fail with nothing done. */
  diesAt(call: number): void {
    this.put('/count', '0\n');
    this.put('/dies-at', `${call}\n`);
  }

  /** What programs were called with since the last time; the folder is left out of it. */
  said(): string {
    const said = this.get('/said') ?? '';
    this.remove('/said');
    return said;
  }

  /** Runs the UNDO.txt of a run with these changes, as a person would. */
  undo(changes: readonly Change[], shell = '/bin/sh'): Outcome {
    const run = { rollout: 'sriov#2', who: 'ops1', since: '2026-11-25T10:00:00Z', changes };
    // Every absolute path among the values leads into the folder; programs of the system stay.
    const text = (undoText(run) ?? 'exit 9')
      .replaceAll(/'(\/(?:sys|proc|boot|etc|run|var)\b)/g, `'${this.#root}$1`)
      .replace(/^PATH=/m, `PATH=${this.#at('/bin')}:`);
    const { status, stdout, stderr } = spawnSync(shell, ['-c', text], { encoding: 'utf8' });
    return { code: status, stdout, stderr };
  }

  #run(script: string, words: readonly string[]) {
    const env = { ...process.env, PATH: `${this.#at('/bin')}:${process.env['PATH'] ?? ''}` };
    return spawnSync('/bin/sh', ['-c', script, 'sh', ...words], { encoding: 'utf8', env });
  }

  /** Everything that a rollout may change: texts of files, targets of links; not what vfleet keeps about itself. */
  tree(): Readonly<Record<string, string>> {
    const found: Record<string, string> = {};
    const walk = (folder: string): void => {
      for (const name of readdirSync(this.#at(folder)).sort()) {
        const path = `${folder}/${name}`;
        const status = lstatSync(this.#at(path));
        if (status.isDirectory()) walk(path);
        else if (status.isSymbolicLink()) found[path] = `-> ${readlinkSync(this.#at(path))}`;
        else found[path] = `${(status.mode & 0o777).toString(8)} ${this.get(path) ?? ''}`;
      }
    };
    for (const folder of ['/sys', '/etc', '/boot', '/run', '/var']) walk(folder);
    const own = ['lease', 'lock', 'undone', 'modules-boot'].map((name) => `${STATE}/${name}`);
    return Object.fromEntries(Object.entries(found).filter(([path]) => !own.includes(path)));
  }

  get isHeld(): boolean {
    return existsSync(this.#at(`${STATE}/lease`));
  }

  dispose(): void {
    rmSync(this.#root, { recursive: true, force: true });
  }
}

/** As libvirt 9 writes a guest, as far as this matters. `more`: what libvirt adds with a device and does not take back. */
export function guestXml(addresses: readonly string[], more = '', cpus?: string): string {
  const hostdevs = addresses.map((address) => {
    const [domain = '', bus = '', slot = '', fn = ''] = address.split(/[:.]/);
    return `    <hostdev mode='subsystem' type='pci' managed='no'>
      <source>
        <address domain='0x${domain}' bus='0x${bus}' slot='0x${slot}' function='0x${fn}'/>
      </source>
      <address type='pci' domain='0x0000' bus='0x01' slot='0x00' function='0x0'/>
    </hostdev>
`;
  });
  const pins =
    cpus === undefined
      ? ''
      : `  <cputune>\n    <vcpupin vcpu='0' cpuset='${cpus}'/>\n  </cputune>\n`;
  return `<domain type='kvm'>
  <name>${GUEST}</name>
${pins}  <devices>
    <disk type='file' device='disk'>
      <source file='/var/lib/a.img'/>
      <address type='pci' domain='0x0000' bus='0x65' slot='0x00' function='0x0'/>
    </disk>
${hostdevs.join('')}${more}  </devices>
</domain>
`;
}
