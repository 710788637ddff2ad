import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { followConsole, type Boot, type SerialConsole } from './console.ts';
import { openMonitor, type Monitor } from './monitor.ts';

/** One machine to start. */
export interface MachineWanted {
  /** Unique among the machines started together; names its folder and console log. */
  readonly name: string;
  /**
   * What stands at the end of GRUB_CMDLINE_LINUX in /etc/default/grub; `['intel_iommu=off']` when absent, which is
   * baked into the image. Anything else costs one more boot.
   */
  readonly kernelArgs?: readonly string[];
  /** In MiB; 1024 when absent. A host that runs the nested guest needs 2048. */
  readonly memory?: number;
  /** More hardware, as arguments for QEMU. */
  readonly devices?: readonly string[];
  /** `intel` when absent; `none` is the firmware switch off, or leaves the device to `devices`. */
  readonly iommu?: 'intel' | 'amd' | 'none';
  /** Another disk than the lab's host image; the same key opens it. */
  readonly disk?: string;
}

/**
 * Two network cards behind a bridge for conventional PCI, 0000:05:01.0 and 0000:05:02.0: with the bridge they are one
 * IOMMU group, which is not viable unless all of it goes to one guest.
 */
export const SHARED_GROUP: readonly string[] = [
  '-device pcie-root-port,id=rp4,chassis=4,slot=4,bus=pcie.0 -device pcie-pci-bridge,id=pci1,bus=rp4',
  '-netdev hubport,hubid=3,id=hub3 -device e1000,bus=pci1,addr=1,netdev=hub3,romfile=',
  '-netdev hubport,hubid=4,id=hub4 -device e1000,bus=pci1,addr=2,netdev=hub4,romfile=',
].flatMap((line) => line.split(' '));

/** For `iommu: 'none'`: an Intel IOMMU that does not remap interrupts. */
export const WITHOUT_INTERRUPT_REMAPPING: readonly string[] = [
  '-device',
  'intel-iommu,intremap=off,caching-mode=on',
];

/** A running virtual machine, reached as `ssh -p PORT admin@ADDRESS`; `admin` has sudo without a password. */
export interface Machine {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly keyFile: string;
  /** One file for all machines started together, in the form `[address]:port type key`. */
  readonly knownHostsFile: string;
  /** Everything said on its serial console, from the boot loader on, over all reboots. Gone after `stop`. */
  readonly consoleLog: string;
  /** Every boot so far that got as far as SSH, by the machine's own account. A panicking trial is not among them. */
  readonly boots: readonly Boot[];
  /** The boot with this index, when it is complete; `boot(machine.boots.length)` is the next one. */
  boot(index: number): Promise<Boot>;
  /** Its overlay, which is gone after `stop`. */
  readonly disk: string;
  /** Runs a command line as admin and resolves with its stdout; rejects on any other exit code than 0. */
  ssh(commandLine: string, stdin?: Uint8Array): Promise<string>;
  /** Reboots it as root does, and resolves at the next boot, when udev has done its work too. */
  reboot(): Promise<void>;
  /** Presses the reset button, as a BMC would; the operating system hears nothing of it. */
  reset(): Promise<void>;
  /** Runs a last command line, shuts down as root does, and resolves when it is off; `stop` is still to be called. */
  powerOff(last: string): Promise<void>;
  /** Ends it and deletes its disk. */
  stop(): Promise<void>;
}

interface Image {
  readonly disk: string;
  readonly keyFile: string;
}

/** Machines started together share a folder, which goes with the last of them. */
interface Run {
  readonly image: Image;
  readonly folder: string;
  readonly running: Set<ChildProcess>;
}

interface Launched {
  readonly name: string;
  readonly folder: string;
  readonly consoleLog: string;
  readonly child: ChildProcess;
  readonly serial: SerialConsole;
  readonly monitor: Monitor;
}

const address = '127.0.0.1';
const user = 'admin';
/** A boot takes 35 s alone and up to 120 s on a busy machine; a panicking trial adds its panic= and another boot. */
const bootTimeoutMs = 420_000;
/** For commands of the lab's own, the slowest of which is dracut on a busy machine. */
const commandTimeoutMs = 300_000;
const bakedArgs = ['intel_iommu=off'];
const labFolder = dirname(fileURLToPath(import.meta.url));
const runsFolder = join(dirname(labFolder), '.cache', 'lab', 'run');
const execFileAsync = promisify(execFile);

/**
 * Starts the machines side by side and resolves when SSH listens on each. The image is built first when it is not
 * cached (about 2 minutes, as root). When one fails, all are stopped. The kernel kills each QEMU when this process
 * dies, however it dies (boot.sh: pdeathsig), so nothing is left running.
 */
export async function startMachines(wanted: readonly MachineWanted[]): Promise<Machine[]> {
  const image = await buildImage();
  await removeDeadRuns();
  await mkdir(runsFolder, { recursive: true });
  const run: Run = {
    image,
    folder: await mkdtemp(join(runsFolder, `${process.pid}-`)),
    running: new Set(),
  };
  const launched: Launched[] = [];
  try {
    for (const one of wanted) launched.push(await launch(run, one));
    const machines = await Promise.all(launched.map((one) => whenUp(run, one)));
    await writeFile(knownHostsOf(run), machines.map(knownHostsLine).join(''));
    await Promise.all(machines.map((machine, i) => setKernelArgs(machine, wanted[i]?.kernelArgs)));
    return machines;
  } catch (error) {
    await Promise.all(launched.map((one) => stop(run, one)));
    throw error;
  }
}

/** Runs build-image.sh, whose progress goes to our stderr and whose only line of output is the image's folder. */
export async function buildImage(): Promise<Image> {
  const child = spawn(join(labFolder, 'build-image.sh'), { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`lab/build-image.sh ended with ${code ?? 'a signal'}`);
  const folder = output.trim();
  return { disk: join(folder, 'host.qcow2'), keyFile: join(folder, 'key') };
}

/** Folders of runs that were killed: their machines died with them, their disks did not. */
async function removeDeadRuns(): Promise<void> {
  for (const name of await readdir(runsFolder).catch(() => [])) {
    const pid = Number(name.split('-')[0]);
    if (!isAlive(pid)) await rm(join(runsFolder, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function launch(run: Run, wanted: MachineWanted): Promise<Launched> {
  const { name, memory, devices } = wanted;
  const folder = join(run.folder, name);
  await mkdir(folder);
  const child = spawn(join(labFolder, 'boot.sh'), [folder, ...(devices ?? [])], {
    // Output is the serial console, descriptor 3 the monitor.
    stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
    env: {
      ...process.env,
      IMAGE: wanted.disk ?? run.image.disk,
      IOMMU: wanted.iommu ?? 'intel',
      PORT: '0',
      QMP_FD: '3',
      MEMORY: String(memory ?? 1024),
    },
  });
  run.running.add(child);
  const consoleLog = join(folder, 'console.log');
  const [, output, , socket] = child.stdio;
  return {
    name,
    folder,
    consoleLog,
    child,
    serial: followConsole(name, output!, consoleLog),
    monitor: openMonitor(name, socket as Duplex),
  };
}

async function whenUp(run: Run, launched: Launched): Promise<Machine> {
  const { name, serial, monitor, consoleLog } = launched;
  await serial.boot(0, bootTimeoutMs);
  const port = await forwardedPort(monitor);
  const login = {
    address,
    port,
    user,
    keyFile: run.image.keyFile,
    knownHostsFile: knownHostsOf(run),
  };
  const boot = (index: number) => serial.boot(index, bootTimeoutMs);
  return {
    name,
    ...login,
    consoleLog,
    boots: serial.boots,
    boot,
    disk: join(launched.folder, 'disk.qcow2'),
    ssh: (commandLine, stdin) => ssh(login, commandLine, stdin),
    reboot: async () => {
      const next = serial.boots.length;
      await ssh(login, 'sudo -n systemctl --no-block reboot');
      await boot(next);
      await ssh(login, 'sudo -n udevadm settle --timeout=60');
    },
    reset: async () => {
      await monitor.execute('system_reset');
    },
    powerOff: async (last) => {
      const off = once(launched.child, 'exit');
      await ssh(login, `${last} && sudo -n systemctl --no-block poweroff`);
      await off;
    },
    stop: () => stop(run, launched),
  };
}

/** QEMU chose the port itself, so no other process can have taken it in between. */
async function forwardedPort(monitor: Monitor): Promise<number> {
  const table = await monitor.execute('human-monitor-command', { 'command-line': 'info usernet' });
  const [, port] = /HOST_FORWARD\]\s+\d+\s+\S+\s+(\d+)/.exec(String(table)) ?? [];
  if (port === undefined) throw new Error(`QEMU forwards no port: ${String(table)}`);
  return Number(port);
}

function knownHostsOf(run: Run): string {
  return join(run.folder, 'known_hosts');
}

function knownHostsLine(machine: Machine): string {
  return `[${machine.address}]:${machine.port} ${machine.boots[0]?.hostKey ?? ''}\n`;
}

async function setKernelArgs(machine: Machine, args: readonly string[] = bakedArgs): Promise<void> {
  if (args.join(' ') === bakedArgs.join(' ')) return;
  const bad = args.find((arg) => !/^[\w.,:=-]+$/.test(arg));
  if (bad !== undefined)
    throw new Error(`lab machine ${machine.name}: no plain kernel argument: ${bad}`);
  const edit = `s/^\\(GRUB_CMDLINE_LINUX=".*\\) ${bakedArgs.join(' ')}"/\\1 ${args.join(' ')}"/`;
  await machine.ssh(`sudo -n sed -i '${edit}' /etc/default/grub && sudo -n update-grub 2>&1`);
  await machine.reboot();
}

type Login = Pick<Machine, 'address' | 'port' | 'user' | 'keyFile' | 'knownHostsFile'>;

async function ssh(login: Login, commandLine: string, stdin?: Uint8Array): Promise<string> {
  const options = [
    'BatchMode=yes',
    'ConnectTimeout=20',
    'IdentitiesOnly=yes',
    'StrictHostKeyChecking=yes',
    `UserKnownHostsFile=${login.knownHostsFile}`,
  ];
  const flags = ['-F', 'none', '-i', login.keyFile, '-p', String(login.port)];
  const target = `${login.user}@${login.address}`;
  const all = [...flags, ...options.flatMap((option) => ['-o', option]), target, commandLine];
  const command = execFileAsync('ssh', all, { timeout: commandTimeoutMs });
  if (stdin !== undefined) command.child.stdin?.end(stdin);
  return (await command).stdout;
}

/** Safe twice. The machine is thrown away, so it is not shut down but killed. */
async function stop(run: Run, { child, folder }: Launched): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }
  run.running.delete(child);
  await rm(run.running.size === 0 ? run.folder : folder, { recursive: true, force: true });
}
