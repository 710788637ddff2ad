/** An SSH server and how to log in there. Holds references to secrets (paths), never a secret (law 10). */
export interface SshServer {
  /** DNS name or IP address. */
  readonly address: string;
  readonly port: number;
  readonly user: string;
  /** Path of a private key on the worker; absent: the agent, then ~/.ssh/id_ed25519, id_ecdsa and id_rsa. */
  readonly identityFile?: string;
  /** Path of the known_hosts file on the worker; absent: ~/.ssh/known_hosts. */
  readonly knownHostsFile?: string;
}

/** How a host is reached. */
export interface HostConnection extends SshServer {
  readonly name: string;
  /** One jump host in front of it. */
  readonly jump?: SshServer;
}

/** One inventory entry. */
export interface HostEntry extends HostConnection {
  readonly groups: readonly string[];
  /** Host variables that are plain strings, numbers or booleans, as text; used as labels (rack, site, ...). */
  readonly labels: Readonly<Record<string, string>>;
}
