/**
 * How long each command may take on the host, in milliseconds: it ends itself there. An activity's own time
 * (workflows/activity-proxies.ts) is longer than the sum of its commands and of connecting, so that no attempt
 * still runs on the host when the next one begins (law 3). test/domain/deadlines.test.ts adds them up.
 */
export const HOST_DEADLINE_MS = {
  read: 20_000,
  write: 30_000,
  /** update-grub took 5 s in the emulated lab; a host with many kernels and os-prober takes a minute. */
  updateGrub: 180_000,
  grubReboot: 20_000,
  /** `systemctl reboot` answers at once; an inhibitor can make it wait. */
  reboot: 30_000,
  /** A look while the host may be away; it answers at once or it is not back. */
  look: 6_000,
} as const;

/** An activity's longest time in milliseconds, by how much it does. */
export const ACTIVITY_TIME_MS = {
  /** A few reads, writes or short programs; arming a trial and telling the host to reboot is the longest. */
  quick: 180_000,
  /** With update-grub in it. */
  slow: 360_000,
  /** One look at a host that may be away: up to 10 s to connect, the read, and 2 s to tell that it is lost. */
  look: 20_000,
  heartbeat: 20_000,
} as const;

/** How much longer than a hook's own timeout its activity may take, in milliseconds. */
export const HOOK_MARGIN_MS = 60_000;
