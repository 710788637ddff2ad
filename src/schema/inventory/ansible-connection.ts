import type { HostConnection } from '../../domain/host-entry.ts';
import type { Problem } from '../problem.ts';
import {
  USER_DEFAULT,
  addressProblem,
  hostNameProblem,
  readPort,
  userProblem,
} from './connection-rules.ts';
import type { TreeHost, Variable } from './inventory-tree.ts';
import { type JumpHost, readSshArguments } from './jump-host.ts';
import { isTemplate } from './template.ts';

/** Variables by what they say; of several that are given, the last one counts (plugins/connection/ssh.py). */
const KEYS = {
  host: ['ansible_host', 'ansible_ssh_host'],
  port: ['ansible_port', 'ansible_ssh_port'],
  user: ['ansible_user', 'ansible_ssh_user'],
  identityFile: ['ansible_private_key_file', 'ansible_ssh_private_key_file'],
  knownHosts: ['vfleet_known_hosts'],
  connection: ['ansible_connection'],
} as const;

/** Arguments of ssh, in the order in which Ansible puts them on its command line. */
const ARGUMENT_KEYS = ['ansible_ssh_args', 'ansible_ssh_common_args', 'ansible_ssh_extra_args'];

const SSH_CONNECTIONS = new Set('ssh smart paramiko paramiko_ssh libssh'.split(' '));

/** How a host is reached, by its variables; absent when there are problems. */
export interface ReadConnection {
  readonly connection?: HostConnection;
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/** Reads Ansible's connection variables of one host. Templates and vaulted values among them are refused by name. */
export function readConnection(host: TreeHost): ReadConnection {
  const reader = new ConnectionReader(host);
  const connection = reader.read();
  const { problems, warnings } = reader;
  return problems.length > 0 ? { problems, warnings } : { connection, problems, warnings };
}

class ConnectionReader {
  readonly problems: Problem[] = [];
  readonly warnings: Problem[] = [];
  private readonly host: TreeHost;

  constructor(host: TreeHost) {
    this.host = host;
  }

  read(): HostConnection {
    const name = this.host.name;
    const nameProblem = hostNameProblem(name);
    if (nameProblem !== undefined) {
      this.problems.push({ ...this.host.place, path: name, message: nameProblem });
    }
    this.checkTransport();
    const address = this.text(KEYS.host, addressProblem) ?? name;
    const user = this.text(KEYS.user, userProblem) ?? USER_DEFAULT;
    const identityFile = this.text(KEYS.identityFile, pathProblem);
    const knownHostsFile = this.text(KEYS.knownHosts, pathProblem);
    const files = {
      ...(identityFile === undefined ? {} : { identityFile }),
      ...(knownHostsFile === undefined ? {} : { knownHostsFile }),
    };
    const jump = this.jump();
    // A jump host is asked as the same user with the same key, unless it is written otherwise.
    const jumpPart = jump === undefined ? {} : { jump: { user, ...files, ...jump } };
    return { name, address, port: this.port(), user, ...files, ...jumpPart };
  }

  private checkTransport(): void {
    const transport = this.text(KEYS.connection, () => undefined);
    if (transport === undefined) return;
    if (SSH_CONNECTIONS.has(transport.replace(/^.*\./, ''))) return;
    const variable = this.last(KEYS.connection);
    if (variable !== undefined) {
      this.problem(
        variable,
        `is "${transport}", and vfleet reaches hosts by SSH only; leave the host out`,
      );
    }
  }

  private port(): number {
    const variable = this.last(KEYS.port);
    const text = this.text(KEYS.port, () => undefined);
    if (variable === undefined || text === undefined) return 22;
    const port = readPort(text);
    if (port === undefined) this.problem(variable, `"${text}" is no port from 1 to 65535`);
    return port ?? 22;
  }

  private jump(): JumpHost | undefined {
    let jump: JumpHost | null | undefined;
    for (const key of ARGUMENT_KEYS) {
      const variable = this.last([key]);
      const text = this.text([key], () => undefined);
      if (variable === undefined || text === undefined) continue;
      const read = readSshArguments(text);
      if (!read.ok) {
        this.problem(variable, read.message);
        continue;
      }
      if (read.unused.length > 0) {
        const message = `${read.unused.join(' ')} is not used; vfleet always checks host keys and sets its own limits`;
        this.warnings.push(this.problemOf(variable, message));
      }
      jump ??= read.jump;
    }
    return jump ?? undefined;
  }

  /** The text of the last variable given among some names, after its checks; `undefined` when absent or wrong. */
  private text(
    keys: readonly string[],
    check: (text: string) => string | undefined,
  ): string | undefined {
    const variable = this.last(keys);
    if (variable === undefined || variable.value.kind === 'null') return undefined;
    if (variable.value.kind !== 'scalar') {
      const what = variable.value.kind === 'vaulted' ? 'is vaulted' : 'is a list or mapping';
      this.problem(variable, `${what}, and vfleet needs its text to reach the host`);
      return undefined;
    }
    const { text } = variable.value;
    const message = isTemplate(text)
      ? `"${text}" is a template, which vfleet does not evaluate; write the value`
      : check(text);
    if (message === undefined) return text;
    this.problem(variable, message);
    return undefined;
  }

  private last(keys: readonly string[]): Variable | undefined {
    return keys.map((key) => this.host.vars.get(key)).findLast((found) => found !== undefined);
  }

  private problem(variable: Variable, message: string): void {
    this.problems.push(this.problemOf(variable, message));
  }

  private problemOf(variable: Variable, message: string): Problem {
    const path = `${variable.owner}.${variable.name}`;
    return { ...variable.place, path, message };
  }
}

function pathProblem(path: string): string | undefined {
  return path === '' || /[\0\n]/.test(path) ? 'is no path' : undefined;
}
