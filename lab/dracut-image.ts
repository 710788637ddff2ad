import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { buildImage, startMachines, type Machine } from './machines.ts';

const run = promisify(execFile);
const here = dirname(fileURLToPath(import.meta.url));
const packagesFile = join(here, 'dracut', 'packages.txt');
const confFile = join(here, 'dracut', 'lab.conf');

/**
 * The disk of a lab host whose initramfs is made by dracut, for `MachineWanted.disk`: the lab's host image with the packages
 * exchanged on a running machine, as an overlay of some MB beside it. Cached by a digest of its recipe; the first time
 * takes two minutes. Needs what lab/install.sh installs, and apt's lists for Debian's mirror.
 */
export async function dracutDisk(): Promise<string> {
  const { disk: base } = await buildImage();
  const disk = join(dirname(base), `dracut-${await recipeDigest()}.qcow2`);
  if (existsSync(disk)) return disk;
  const [machine] = await startMachines([{ name: 'dracut-image', memory: 2048 }]);
  try {
    await exchangePackages(machine!);
    await machine!.powerOff(SEAL);
    await cp(machine!.disk, `${disk}.new`);
    // Named relative to the overlay, so that the folder can be moved.
    await run('qemu-img', ['rebase', '-u', '-F', 'qcow2', '-b', 'host.qcow2', `${disk}.new`]);
    await rename(`${disk}.new`, disk);
    return disk;
  } finally {
    await machine!.stop();
  }
}

async function recipeDigest(): Promise<string> {
  const hash = createHash('sha256');
  for (const path of [fileURLToPath(import.meta.url), packagesFile, confFile]) {
    hash.update(await readFile(path));
  }
  return hash.digest('hex').slice(0, 16);
}

/** The machine has no way out, so its packages come over SSH. Installing dracut makes the images. */
async function exchangePackages(machine: Machine): Promise<void> {
  const names = (await readFile(packagesFile, 'utf8'))
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  const folder = await mkdtemp(join(tmpdir(), 'vfleet-lab-dracut-'));
  try {
    await run('apt-get', ['-q', '-o', 'APT::Sandbox::User=root', 'download', ...names], {
      cwd: folder,
    });
    const packed = { encoding: 'buffer', maxBuffer: 64 * 1024 * 1024 } as const;
    const { stdout } = await run('tar', ['-C', folder, '-c', '.'], packed);
    await machine.ssh('mkdir debs && tar -C debs -x', stdout);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  await machine.ssh(
    'sudo -n install -D -m644 /dev/stdin /etc/dracut.conf.d/lab.conf',
    await readFile(confFile),
  );
  // The two tools exclude each other; the kernel's package asks for either.
  await machine.ssh(
    'sudo -n dpkg --force-depends --remove initramfs-tools && sudo -n dpkg --install debs/*.deb && rm -r debs',
  );
}

/** As image/root/etc/lab-seal.sh: two hosts with one machine id would be one host to vfleet. Without keys nobody logs in again. */
const SEAL =
  "sudo -n sh -c 'rm -f /etc/ssh/ssh_host_* /var/lib/dbus/machine-id; : >/etc/machine-id; fstrim /'";
