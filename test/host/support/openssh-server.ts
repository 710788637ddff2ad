import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { HostConnection } from '../../../src/domain/host-entry.ts';
import { ENTER_ROOT } from './openssh-scripts.ts';

/** sshd listens on at most 16 addresses (MAX_LISTEN_SOCKS), each of which is one host here. */
const ADDRESSES = Array.from({ length: 12 }, (_, i) => `127.9.0.${i + 1}`);

/** A real OpenSSH server on loopback addresses, run by the current user. */
export interface OpenSshServer {
  /** Folder with everything of it; `control/<address>` steers one address. */
  readonly folder: string;
  /** How to reach the host at an address. */
  connection(address: string): HostConnection;
  /** Takes an address that no other test uses; waits for one. */
  take(): Promise<string>;
  giveBack(address: string): void;
  /** Ends one process that belongs to the server. */
  stop(): Promise<void>;
}

/** Why a real server cannot be run here, or `undefined` when it can. */
export function whyNoOpenSsh(): string | undefined {
  if (sshdPath() === undefined) return 'sshd is not installed';
  const trial = spawnSync('unshare', ['-r', '-m', 'mount', '-t', 'tmpfs', 'none', '/tmp']);
  if (trial.status !== 0) {
    return `user namespaces cannot be used here (${String(trial.stderr).trim() || 'unshare failed'})`;
  }
  return undefined;
}

const sshdPath = (): string | undefined =>
  ['/usr/sbin/sshd', '/usr/local/sbin/sshd'].find(
    (it) => spawnSync(it, ['-?']).error === undefined,
  );

/** Starts the server with keys and a known_hosts file of its own. */
export async function startOpenSsh(): Promise<OpenSshServer> {
  const folder = mkdtempSync(join(tmpdir(), 'vfleet-sshd-'));
  // A server that runs as root wants its privilege separation folder, which only the init system makes.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true });
  const port = await freePort();
  for (const name of ['host_key', 'client_key']) {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, name)]);
  }
  mkdirSync(join(folder, 'control'));
  writeFileSync(join(folder, 'enter.sh'), ENTER_ROOT);
  const hostKey = readFileSync(join(folder, 'host_key.pub'), 'utf8');
  writeFileSync(
    join(folder, 'known_hosts'),
    ADDRESSES.map((it) => `[${it}]:${port} ${hostKey}`).join(''),
  );
  writeFileSync(join(folder, 'sshd_config'), sshdConfig(folder, port));
  const sshd = spawn(sshdPath() ?? 'sshd', ['-D', '-e', '-f', join(folder, 'sshd_config')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const errors: Buffer[] = [];
  sshd.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
  await untilListening(port, sshd, () => Buffer.concat(errors).toString());
  return { folder, ...addressBook(), ...serverHandle(folder, port, sshd) };
}

function serverHandle(
  folder: string,
  port: number,
  sshd: ChildProcess,
): Pick<OpenSshServer, 'connection' | 'stop'> {
  return {
    connection: (address) => ({
      name: `host-${address}`,
      address,
      port,
      user: userInfo().username,
      identityFile: join(folder, 'client_key'),
      knownHostsFile: join(folder, 'known_hosts'),
    }),
    stop: async () => {
      const gone = sshd.exitCode === null ? once(sshd, 'exit') : Promise.resolve();
      sshd.kill();
      await gone;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function addressBook(): Pick<OpenSshServer, 'take' | 'giveBack'> {
  const free = [...ADDRESSES];
  const waiting: ((address: string) => void)[] = [];
  return {
    take: () => {
      const address = free.shift();
      if (address !== undefined) return Promise.resolve(address);
      return new Promise((resolve) => waiting.push(resolve));
    },
    giveBack: (address) => {
      const next = waiting.shift();
      if (next === undefined) free.push(address);
      else next(address);
    },
  };
}

const sshdConfig = (folder: string, port: number): string =>
  [
    ...ADDRESSES.map((it) => `ListenAddress ${it}:${port}`),
    `HostKey ${folder}/host_key`,
    `PidFile none`,
    `AuthorizedKeysFile ${folder}/client_key.pub`,
    'StrictModes no',
    'UsePAM no',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'PermitRootLogin prohibit-password',
    'MaxStartups 100',
    `ForceCommand /bin/sh ${folder}/enter.sh ${folder}/control`,
    'LogLevel ERROR',
    '',
  ].join('\n');

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, ADDRESSES[0]);
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

/** Resolves once the last address takes a connection; rejects with sshd's own words when it ends before. */
async function untilListening(
  port: number,
  sshd: ChildProcess,
  errors: () => string,
): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (sshd.exitCode !== null) break;
    const socket = connect(port, ADDRESSES.at(-1));
    const [event] = (await Promise.race([
      once(socket, 'connect').then(() => ['connect']),
      once(socket, 'error').then(() => ['error']),
    ]).catch(() => ['error'])) as [string];
    socket.destroy();
    if (event === 'connect') return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`sshd did not start: ${errors()}`);
}
