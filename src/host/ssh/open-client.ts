import type { Duplex } from 'node:stream';
import { NodeSSH } from 'node-ssh';
import type { Client } from 'ssh2';
import type { HostConnection } from '../../domain/host-entry.ts';
import { HostError } from '../errors.ts';
import { algorithmsFor } from './algorithms.ts';
import { connectError } from './connect-errors.ts';
import { loginMethods } from './credentials.ts';
import { prepareHostKeyCheck } from './host-key-check.ts';
import type { SshLimits } from './limits.ts';

/** Where to log in, and how to get there. */
export interface Route {
  readonly connection: Omit<HostConnection, 'jump'>;
  /** A stream to the host through a jump host; absent: straight. */
  readonly via?: Duplex;
  readonly limits: SshLimits;
}

/**
 * Logs in once and gives the ready client. From the first moment on, every later `error` event has a listener: node-ssh takes
 * its own away on `ready`, after which a keepalive timeout would end this process (reference/ssh.md trap 1).
 *
 * @throws HostError with a `ssh.` code.
 */
export async function openClient(route: Route): Promise<Client> {
  const { connection } = route;
  const target = { ...connection, host: connection.name };
  const check = await prepareHostKeyCheck({ ...connection, host: connection.name });
  const authHandler = await loginMethods({ ...connection, host: connection.name });
  const config: Parameters<NodeSSH['connect']>[0] = {
    ...(route.via && { sock: route.via }),
    host: connection.address,
    port: connection.port,
    username: connection.user,
    authHandler,
    algorithms: algorithmsFor(check.knownTypes),
    hostVerifier: check.verify,
    readyTimeout: route.limits.connectTimeoutMs,
    keepaliveInterval: route.limits.keepaliveMs,
    keepaliveCountMax: 3,
  };
  const ssh = new NodeSSH();
  const connecting = ssh.connect(config);
  const client = ssh.connection;
  client?.on('error', ignoreLateError);
  try {
    await connecting;
  } catch (error) {
    client?.destroy();
    throw check.refusal() ?? connectError(error, target);
  }
  if (client !== null && ssh.isConnected()) return client;
  throw new HostError('ssh.closed', connection.name, 'the connection closed right after the login');
}

/** What an error means is told by `close`, which follows it. */
const ignoreLateError = (): void => undefined;
