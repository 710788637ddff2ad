import {
  execFile,
  execFileSync,
  spawn,
  type ChildProcess,
  type ChildProcessWithoutNullStreams,
} from 'node:child_process';
import { promisify } from 'node:util';
import { once } from 'node:events';
import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { vi } from 'vitest';
import type { HostPort } from '../../../src/host/port.ts';
import type { HostDirectory } from '../../../src/host/connection.ts';
import {
  LEASE_ID,
  type ContractFault,
  type ContractHost,
  type ContractProgram,
  type StalledCommand,
} from '../contract/contract-host.ts';
import { FAKE_SUDO, HOLD_ROOT } from './openssh-scripts.ts';
import type { OpenSshServer } from './openssh-server.ts';

const BOOT_ID = '11111111-2222-4333-8444-555555555555';

export interface OpenSshHostOptions {
  readonly server: OpenSshServer;
  readonly directory: HostDirectory;
  readonly fault?: ContractFault;
}

/** One host of the real server, in a root of its own that goes when it is disposed. */
export interface OpenSshHost extends ContractHost {
  readonly address: string;
  remove(path: string): Promise<void>;
  /** Starts a command in the root without SSH, as its root user. */
  start(command: string): ChildProcessWithoutNullStreams;
}

/** Makes a root, holds its namespaces open, and gives both views of it. */
export async function makeOpenSshHost(options: OpenSshHostOptions): Promise<OpenSshHost> {
  const { server, directory, fault } = options;
  const address = await server.take();
  const base = mkdtempSync(join(server.folder, 'root-'));
  const root = join(base, 'root');
  const control = join(server.folder, 'control', address);
  mkdirSync(control);
  const holder = await holdRoot(root, fault);
  // The host's files as its root sees them: what is mounted inside cannot be seen from outside.
  const seen = `/proc/${holder.pid ?? 0}/root${root}`;
  writeFileSync(join(control, 'holder'), `${holder.pid ?? 0} ${root}\n`);
  const connection = server.connection(address);
  const port: HostPort = directory.host(connection);
  return {
    port,
    address,
    bootId: BOOT_ID,
    remove: (path) => {
      rmSync(seen + path);
      return Promise.resolve();
    },
    start: (command) => enterRoot(holder, root, command),
    ...filesOf(seen),
    ...steering(control, seen),
    dispose: async () => {
      directory.forget(connection);
      openGate(control);
      holder.kill();
      await once(holder, 'exit');
      rmSync(control, { recursive: true });
      rmSync(base, { recursive: true, force: true });
      server.giveBack(address);
    },
  };
}

const enterRoot = (
  holder: ChildProcess,
  root: string,
  command: string,
): ChildProcessWithoutNullStreams =>
  spawn('nsenter', [
    ...`--preserve-credentials -t ${holder.pid ?? 0} -U -m`.split(' '),
    ...['/usr/sbin/chroot', root, '/bin/sh', '-c', command],
  ]);

async function holdRoot(root: string, fault = 'none'): Promise<ChildProcess> {
  const folders = ['dev', 'proc/sys/kernel/random', 'sys', 'etc/default', 'boot', 'tmp', 'run'];
  for (const folder of [...folders, 'var/lib', 'usr/local/bin']) {
    mkdirSync(join(root, folder), { recursive: true });
  }
  writeFileSync(join(root, 'proc/sys/kernel/random/boot_id'), `${BOOT_ID}\n`);
  writeFileSync(join(root, 'usr/local/bin/sudo'), FAKE_SUDO, { mode: 0o755 });
  const holder = spawn('unshare', ['-r', '-m', '/bin/sh', '-c', HOLD_ROOT, 'hold', root, fault], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, VT_LEASE: LEASE_ID },
  });
  const [said] = (await Promise.race([
    once(holder.stdout, 'data'),
    once(holder, 'exit').then(() => ['it ended']),
  ])) as [unknown];
  if (String(said) !== 'ready\n')
    throw new Error(`a throw-away root was not made: ${String(said)}`);
  return holder;
}

function filesOf(
  seen: string,
): Pick<ContractHost, 'put' | 'link' | 'get' | 'names' | 'mode' | 'program'> {
  const put: ContractHost['put'] = (path, content) => {
    mkdirSync(dirname(seen + path), { recursive: true });
    writeFileSync(seen + path, content);
    return Promise.resolve();
  };
  return {
    put,
    link: (path, target) => {
      mkdirSync(dirname(seen + path), { recursive: true });
      symlinkSync(target, seen + path);
      return Promise.resolve();
    },
    get: (path) => Promise.resolve(existsSync(seen + path) ? readFileSync(seen + path) : undefined),
    names: (folder) =>
      Promise.resolve(existsSync(seen + folder) ? readdirSync(seen + folder).sort() : []),
    mode: (path) => Promise.resolve(statSync(seen + path).mode & 0o7777),
    program: async (name, behaviour) => {
      const data = `/usr/local/share/${name}`;
      await put(`${data}.out`, behaviour.stdout ?? '');
      await put(`${data}.err`, behaviour.stderr ?? '');
      await put(`/usr/local/bin/${name}`, programText(behaviour, data));
      chmodSync(`${seen}/usr/local/bin/${name}`, 0o755);
    },
  };
}

const programText = ({ code = 0, hangs, printsArguments }: ContractProgram, data: string): string =>
  [
    '#!/bin/sh',
    `cat ${data}.out`,
    `cat ${data}.err >&2`,
    ...(printsArguments === true ? ['for it in "$@"; do printf \'<%s>\\n\' "$it"; done'] : []),
    hangs === true ? 'exec sleep 600' : `exit ${code}`,
    '',
  ].join('\n');

/** Steers what the server does with the next commands for this address. */
function steering(
  control: string,
  seen: string,
): Pick<Required<ContractHost>, 'stallNext' | 'noise' | 'hangPoke'> {
  return {
    noise: (bytes) => {
      writeFileSync(join(control, 'noise'), bytes);
      return Promise.resolve();
    },
    hangPoke: (path) => {
      mkdirSync(dirname(seen + path), { recursive: true });
      execFileSync('mkfifo', [seen + path]);
      // A pipe without a reader: opening it for writing hangs until one comes.
      const release = async (): Promise<void> => {
        await promisify(execFile)('cat', [seen + path]);
      };
      return Promise.resolve({ release });
    },
    stallNext: () => {
      execFileSync('mkfifo', [join(control, 'gate')]);
      writeFileSync(join(control, 'stall'), '');
      return Promise.resolve(stalledCommand(control));
    },
  };
}

/** Lets a command go that a failed test left stalled, or it would wait for ever. */
function openGate(control: string): void {
  const gate = join(control, 'gate');
  if (existsSync(gate)) closeSync(openSync(gate, constants.O_RDWR));
}

function stalledCommand(control: string): StalledCommand {
  const appears = (name: string): Promise<void> =>
    vi.waitFor(() => void statSync(join(control, name)), { timeout: 20_000, interval: 10 });
  return {
    arrived: appears('arrived'),
    cut: () => {
      const session = Number(readFileSync(join(control, 'arrived'), 'utf8'));
      process.kill(session, 'SIGKILL');
      return Promise.resolve();
    },
    release: async () => {
      writeFileSync(join(control, 'gate'), 'go\n');
      await appears('ended');
      for (const name of ['gate', 'arrived', 'ended', 'stalled', 'stdin']) {
        rmSync(join(control, name));
      }
    },
  };
}
