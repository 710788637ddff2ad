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
  /** A kernel attribute that is answered at once: driver_override, autoprobe. */
  attribute: 10_000,
  /** Binding or unbinding one function; a driver may load firmware into its device. */
  probeDriver: 30_000,
  /** One write of sriov_numvfs: cards with firmware take up to two minutes for many VFs. */
  sriovNumvfs: 120_000,
  /** One write of nr_hugepages: the kernel moves memory about to make room. */
  hugepages: 120_000,
  /** What a command with kernel writes may take beside the limits of these: the host's lock, and to say what it did. */
  pokeMargin: 40_000,
  /** The longest command with kernel writes; with more of them it is ended, and the next attempt goes on. */
  pokeMax: 330_000,
  modprobe: 60_000,
  /** `udevadm settle` ends by itself after 20 s. */
  settle: 30_000,
  ip: 20_000,
  /** driverctl waits for the driver. */
  driverctl: 60_000,
  /** Took 31 s for each installed kernel in the emulated lab under load; dracut up to 86 s, and it is told each kernel by itself. */
  updateInitramfs: 300_000,
  /** lsinitramfs took 2 s for each image there, lsinitrd up to 24 s, since it unpacks an image four times. */
  listInitramfs: 120_000,
  virsh: 60_000,
} as const;

/** An activity's longest time in milliseconds, by how much it does. */
export const ACTIVITY_TIME_MS = {
  /** A few reads, writes or short programs; arming a trial and telling the host to reboot is the longest. */
  quick: 180_000,
  /** With update-grub in it. */
  slow: 360_000,
  /** Devices: an initramfs for each kernel, or VFs of several PFs. A worker that dies is noticed by its heartbeat. */
  lengthy: 1_800_000,
  /** One look at a host that may be away: up to 10 s to connect, the read, and 2 s to tell that it is lost. */
  look: 20_000,
  heartbeat: 20_000,
} as const;

/** How much longer than a hook's own timeout its activity may take, in milliseconds. */
export const HOOK_MARGIN_MS = 60_000;
