import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ssh2, { type Connection, type ServerChannel, type ServerConfig } from 'ssh2';
import type { HostConnection } from '../../../src/domain/host-entry.ts';
import { newKey } from '../../../src/simulator/new-key.ts';
import { decodeCall, encodeReply, type DecodedCall } from '../../../src/host/wire.ts';

const { Server, utils } = ssh2;

/** What a test server does with a command. `connection` is the login it came on. */
export type OnCommand = (
  channel: ServerChannel,
  command: { readonly text: string; readonly stdin: Promise<Buffer> },
  connection: Connection,
) => void;

export interface TestServerOptions {
  readonly onCommand?: OnCommand;
  /** Refuses the client's key. */
  readonly refuses?: boolean;
  /** Most sessions on one connection, as sshd's MaxSessions; the ones above are refused. */
  readonly maxSessions?: number;
  /** Forwards connections to others, as a jump host does. */
  readonly forwards?: boolean;
  readonly algorithms?: ServerConfig['algorithms'];
  /** The key that known_hosts lists. */
  readonly hostKeyType?: 'ed25519' | 'rsa';
  /** Has an Ed25519 key too, which known_hosts does not list. */
  readonly alsoEd25519?: boolean;
}

/** A small SSH server in this process, with what it saw. */
export interface TestServer {
  readonly folder: string;
  readonly port: number;
  /** The line for known_hosts, without the names in front. */
  readonly hostKeyLine: string;
  /** Reaches it with the right key and a known host key. */
  connection(more?: Partial<HostConnection>): HostConnection;
  readonly seen: { connections: number; logins: number; authTries: number; sessionsMost: number };
  readonly live: Set<Connection>;
  stop(): Promise<void>;
}

/** Starts a server on a free loopback port. Without `onCommand` it answers every read with `/x` = `y`. */
export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), 'vfleet-ssh-'));
  const hostKey =
    options.hostKeyType === 'rsa'
      ? utils.generateKeyPairSync('rsa', { bits: 2048 })
      : newKey('host');
  const clientKey = newKey('client');
  const seen = { connections: 0, logins: 0, authTries: 0, sessionsMost: 0 };
  const live = new Set<Connection>();
  const config: ServerConfig = {
    hostKeys: [...(options.alsoEd25519 === true ? [newKey('host').private] : []), hostKey.private],
    ...(options.algorithms && { algorithms: options.algorithms }),
  };
  const server = new Server(config, (connection) => {
    seen.connections += 1;
    live.add(connection);
    connection.on('error', () => undefined);
    connection.on('close', () => live.delete(connection));
    serve(connection, options, seen);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  writeFileSync(join(folder, 'key'), clientKey.private, { mode: 0o600 });
  const hostKeyLine = hostKey.public.split(' ').slice(0, 2).join(' ');
  writeFileSync(join(folder, 'known_hosts'), `[127.0.0.1]:${port} ${hostKeyLine}\n`);
  return {
    folder,
    port,
    hostKeyLine,
    seen,
    live,
    connection: (more) => ({
      name: 'web-1',
      address: '127.0.0.1',
      port,
      user: 'root',
      identityFile: join(folder, 'key'),
      knownHostsFile: join(folder, 'known_hosts'),
      ...more,
    }),
    stop: async () => {
      for (const connection of live) connection.end();
      const closed = once(server, 'close');
      server.close();
      for (const connection of live) socketOf(connection).destroy();
      await closed;
      rmSync(folder, { recursive: true });
    },
  };
}

/** The raw socket under a login, to cut or stall it: ssh2 has no public way to lose a connection. */
export function socketOf(connection: Connection): { destroy(): void; pause(): void } {
  return (connection as unknown as { _sock: { destroy(): void; pause(): void } })._sock;
}

function serve(connection: Connection, options: TestServerOptions, seen: TestServer['seen']): void {
  let sessions = 0;
  connection.on('authentication', (attempt) => {
    if (attempt.method === 'none') {
      attempt.reject(['publickey']);
      return;
    }
    seen.authTries += 1;
    if (options.refuses === true) attempt.reject(['publickey']);
    else attempt.accept();
  });
  connection.on('ready', () => (seen.logins += 1));
  // Without a listener ssh2 refuses as sshd does under `AllowTcpForwarding no`.
  if (options.forwards === true) forward(connection);
  connection.on('session', (accept, reject) => {
    if (sessions >= (options.maxSessions ?? 100)) {
      reject();
      return;
    }
    sessions += 1;
    seen.sessionsMost = Math.max(seen.sessionsMost, sessions);
    const session = accept();
    session.on('close', () => (sessions -= 1));
    session.on('exec', (acceptExec, _reject, { command }) => {
      const channel = acceptExec();
      const stdin = collect(channel);
      (options.onCommand ?? answerReads)(channel, { text: command, stdin }, connection);
    });
  });
}

function forward(connection: Connection): void {
  connection.on('tcpip', (accept, reject, { destIP, destPort }) => {
    const socket = connect(destPort, destIP);
    socket.once('error', () => reject());
    socket.once('connect', () => {
      const stream = accept();
      stream.on('error', () => socket.destroy());
      socket.on('error', () => stream.end());
      socket.pipe(stream).pipe(socket);
    });
  });
}

async function collect(channel: ServerChannel): Promise<Buffer> {
  const chunks: Buffer[] = [];
  channel.on('data', (chunk: Buffer) => chunks.push(chunk));
  channel.on('error', () => undefined);
  await new Promise((resolve) => {
    channel.once('end', resolve);
    channel.once('close', resolve);
  });
  return Buffer.concat(chunks);
}

/** Decodes a call and hands its bytes of reply to `send`; a command that is no call ends with code 127. */
export function answering(send: (channel: ServerChannel, call: DecodedCall) => void): OnCommand {
  return (channel, { text, stdin }) => {
    void stdin.then((bytes) => {
      const call = decodeCall(text, bytes);
      if (call === undefined) finish(channel, 127);
      else send(channel, call);
    });
  };
}

/** Reads answer `/x` = `y`, runs answer exit code 0. */
export const answerReads: OnCommand = answering((channel, call) => {
  channel.write(replyOf(call));
  finish(channel, 0);
});

/** A right answer to a read or a run. */
export function replyOf({ verb, nonce }: DecodedCall, content = 'y'): Buffer {
  if (verb === 'run') {
    return encodeReply('run', nonce, { kind: 'exited', code: 0, stdout: content, stderr: '' });
  }
  return encodeReply('read', nonce, {
    files: new Map([['/x', Buffer.from(content)]]),
    links: new Map(),
    dirs: new Map(),
    queries: new Map(),
  });
}

/** Ends a command with an exit code. */
export function finish(channel: ServerChannel, code: number): void {
  channel.exit(code);
  channel.end();
}

/** The same way to a host, without a key file named. */
export function withoutKey(connection: HostConnection): HostConnection {
  const { name, address, port, user, knownHostsFile } = connection;
  return { name, address, port, user, ...(knownHostsFile !== undefined && { knownHostsFile }) };
}

/** A way to a host, for use as a jump host. */
export function withoutName({
  name: _name,
  ...way
}: HostConnection): Omit<HostConnection, 'name' | 'jump'> {
  return way;
}
