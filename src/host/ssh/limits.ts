/** Limits of the SSH transport; times in milliseconds. */
export interface SshLimits {
  /** Most handshakes at once from this worker. */
  readonly connects: number;
  /**
   * Most handshakes at once with one address, or through one jump host: sshd's MaxStartups (10:30:100) drops more than 10
   * that have not logged in (reference/ssh.md trap 8).
   */
  readonly connectsPerDoor: number;
  /** Most commands at once on one connection: sshd's MaxSessions is 10 (trap 7). */
  readonly channels: number;
  readonly connectTimeoutMs: number;
  /** A probe for each interval in silence; three without answer end the connection (trap 3). */
  readonly keepaliveMs: number;
  /** How long a connection that nobody uses stays open. */
  readonly idleMs: number;
  /** How much longer than the host's own time limit an answer is awaited: `timeout -k 5`, and the way back. */
  readonly graceMs: number;
}

export const SSH_LIMITS: SshLimits = {
  connects: 32,
  connectsPerDoor: 6,
  channels: 8,
  connectTimeoutMs: 10_000,
  keepaliveMs: 10_000,
  idleMs: 60_000,
  graceMs: 8_000,
};
