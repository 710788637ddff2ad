import net from 'node:net';
import ssh2, {
  type AuthContext,
  type Connection,
  type ParsedKey,
  type ServerChannel,
  type Session,
} from 'ssh2';
import { execute } from './execute.ts';
import type { ModelHost } from './model/model-host.ts';

/** Keys that all hosts of a fleet share. */
export interface FleetKeys {
  /** Private key of the hosts, as known_hosts has its public half. */
  readonly hostKey: string;
  /** Private key that a host with the fault `wrong-host-key` shows. */
  readonly otherHostKey: string;
  /** The public key that may log in. */
  readonly client: ParsedKey;
}

export interface SshFrontOptions {
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly keys: FleetKeys;
  /** Called at the first connection. */
  readonly model: () => ModelHost;
  /** Whether it refuses connections from the start. */
  readonly refuses: boolean;
}

/** How long to wait before an address that is busy is tried again, in milliseconds. */
const RELISTEN_MS = 50;
const STDIN_BYTES_MAX = 32 * 1024 * 1024;

/**
 * The SSH server of one simulated host. Each host has a listener and a server of its own (0.35 ms and 6 KB, measured with
 * ssh2 1.17): one server for all could not tell which host a connection is for, since it shows only the far end.
 */
export class SshFront {
  private readonly options: SshFrontOptions;
  private readonly sockets = new Map<string, net.Socket>();
  private readonly servers = new Map<string, ssh2.Server>();
  private listener: net.Server | undefined;
  private model: ModelHost | undefined;
  private retry: NodeJS.Timeout | undefined;
  private stopped = false;
  /** Connections taken so far. */
  connections = 0;

  constructor(options: SshFrontOptions) {
    this.options = options;
  }

  /** Begins to listen. @throws the system's error when the address is taken. */
  async start(): Promise<void> {
    // A host that refuses still proves that its address is free.
    await this.listen();
    if (this.options.refuses) await this.goAway();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.retry);
    await this.goAway();
    this.model?.dispose();
  }

  /** Cuts every connection off; commands under way go on, and new connections are taken. */
  cutConnections(): void {
    for (const socket of this.sockets.values()) socket.destroy();
  }

  /** The host behind it, made when it is first needed. */
  host(): ModelHost {
    if (this.model === undefined) {
      const model = this.options.model();
      this.model = model;
      model.onPower(() => this.follow(model));
      this.follow(model);
    }
    return this.model;
  }

  /** Listens while the host is up and refuses nothing; otherwise every connection is cut and none is taken. */
  private follow(model: ModelHost): void {
    if (this.stopped) return;
    const wanted = model.up && !model.faults.has('refuses');
    if (!wanted) void this.goAway();
    else if (this.listener === undefined) this.relisten(model);
  }

  private relisten(model: ModelHost): void {
    clearTimeout(this.retry);
    this.listen().catch(() => {
      this.retry = setTimeout(() => this.follow(model), RELISTEN_MS);
    });
  }

  private listen(): Promise<void> {
    const listener = net.createServer((socket) => {
      // Connected while the host went away.
      if (this.listener === listener) this.take(socket);
      else socket.destroy();
    });
    this.listener = listener;
    return new Promise((resolve, reject) => {
      listener.once('error', (error) => {
        if (this.listener === listener) this.listener = undefined;
        reject(error);
      });
      listener.listen(this.options.port, this.options.address, resolve);
    });
  }

  private async goAway(): Promise<void> {
    const { listener } = this;
    this.listener = undefined;
    this.cutConnections();
    if (listener?.listening === true) await new Promise((resolve) => listener.close(resolve));
  }

  private take(socket: net.Socket): void {
    const model = this.host();
    const key = keyOf(socket.remoteAddress, socket.remotePort);
    this.sockets.set(key, socket);
    this.connections += 1;
    socket.on('error', () => undefined);
    socket.on('close', () => this.sockets.delete(key));
    const stall = model.faults.find('stalls');
    if (stall !== undefined && stall.at !== 'command') {
      // Read and thrown away, so that the far end's close is seen.
      socket.resume();
      return;
    }
    this.server(model).injectSocket(socket);
  }

  private server(model: ModelHost): ssh2.Server {
    const { hostKey, otherHostKey } = this.options.keys;
    const key = model.faults.has('wrong-host-key') ? otherHostKey : hostKey;
    const known = this.servers.get(key);
    if (known !== undefined) return known;
    const server = new ssh2.Server({ hostKeys: [key] }, (client, info) => {
      const socket = this.sockets.get(keyOf(info.ip, info.port));
      this.serve(client, model, () => socket?.destroy(), `${info.ip} ${info.port}`);
    });
    this.servers.set(key, server);
    return server;
  }

  private serve(client: Connection, model: ModelHost, cut: () => void, peer: string): void {
    const { user, keys, address, port } = this.options;
    client.on('error', () => undefined);
    client.on('authentication', (context) => authenticate(context, user, keys.client));
    client.on('session', (accept) => {
      const session: Session = accept();
      session.on('exec', (acceptExec, _reject, { command }) => {
        const channel = acceptExec();
        collect(channel, (stdin) => {
          void answer({ model, channel, command, stdin, cut }, `${peer} ${address} ${port}`);
        });
      });
    });
  }
}

const keyOf = (ip: string | undefined, port: number | undefined): string =>
  `${ip ?? ''} ${port ?? ''}`;

/** Only the fleet's own key, for its own user. */
function authenticate(context: AuthContext, user: string, key: ParsedKey): void {
  if (
    context.method !== 'publickey' ||
    context.username !== user ||
    !context.key.data.equals(key.getPublicSSH())
  ) {
    context.reject(['publickey']);
    return;
  }
  // Without a signature the client only asks whether the key would do.
  if (context.blob === undefined || context.signature === undefined) context.accept();
  else if (isProven(key, context.blob, context.signature)) context.accept();
  else context.reject(['publickey']);
}

/** ssh2 answers with an Error, against its own types, for a signature that cannot be read. */
function isProven(key: ParsedKey, blob: Buffer, signature: Buffer): boolean {
  const verdict: unknown = key.verify(blob, signature);
  return verdict === true;
}

function collect(channel: ServerChannel, done: (stdin: Buffer) => void): void {
  const chunks: Buffer[] = [];
  let size = 0;
  channel.on('error', () => undefined);
  channel.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= STDIN_BYTES_MAX) chunks.push(chunk);
    else channel.close();
  });
  channel.on('end', () => done(Buffer.concat(chunks)));
}

interface Exec {
  readonly model: ModelHost;
  readonly channel: ServerChannel;
  readonly command: string;
  readonly stdin: Buffer;
  readonly cut: () => void;
}

/** Carries the command out whether or not the connection lasts, as a real sshd does without a PTY. */
async function answer(
  { model, channel, command, stdin, cut }: Exec,
  connection: string,
): Promise<void> {
  const done = await execute(model, command, stdin, connection);
  if (done.kind === 'stalled' || channel.destroyed) return;
  if (done.kind === 'cut') {
    cut();
    return;
  }
  channel.stderr.write(done.stderr);
  channel.write(done.stdout);
  channel.exit(done.code);
  channel.end();
}
