import type { HostExit, Step } from './host-run.ts';

/** How a hold with some code is left. */
export interface HoldRule {
  /** The step that a retry resumes at, when not the one it was held at. */
  readonly at?: Step;
  /** The exit to take when nothing else is known; absent: `retry`. */
  readonly recommended?: HostExit['verb'];
  /** What a person does before the retry, or what the retry does. */
  readonly retry: string;
}

const LOOK: HoldRule = { retry: 'after the cause is gone: does it again' };

const ROOM: HoldRule = { retry: 'after room was made on the host: writes again' };
const SIGHT: HoldRule = { retry: 'when it answers: looks first, then does what is left' };
const KNOWN_HOSTS: HoldRule = {
  retry: 'after the right host key stands in known_hosts of the worker: connects again',
};
const WRONG_LINE = { at: 'reboot', recommended: 'rollback' } as const;

/** By code, then by the part before the dot. */
const RULES: Readonly<Record<string, HoldRule>> = {
  bind: { retry: 'after what the sentence names was mended: goes on where the device stands' },
  bootloader: { retry: 'after GRUB was mended: looks again' },
  'cmdline.one-shot-stuck': { retry: 'after grub-editenv works there: clears it again' },
  'cmdline.update-grub-failed': { retry: 'after update-grub works there by hand: runs it again' },
  cmdline: { retry: 'after what the sentence names was mended: writes and reads back again' },
  devices: { recommended: 'rollback', retry: 'after the device was seen to: looks again' },
  'drain.guests-running': { retry: 'after the guests were moved away: looks again' },
  'drain.hook-failed': { retry: 'after the hook was mended: runs it again' },
  drift: { retry: 'after the other change was taken back: compares again' },
  guest: { retry: 'after what the sentence names was mended: goes on where the guest stands' },
  'health.device-worse': { recommended: 'rollback', retry: 'reads the devices again' },
  'health.failed': { recommended: 'rollback', retry: 'runs the health hook again' },
  'host.busy': { at: 'inspect', retry: 'looks again whether the holder has given it up' },
  'host.disk-full': ROOM,
  'host.fenced': { retry: 'with a newer number than the attempt that went before' },
  // Nothing that is written there is guarded without a lease, so neither retry nor rollback gets any further.
  'host.lease-lost': {
    recommended: 'skip',
    retry: 'only after its lease was put back as it was; else it is held again',
  },
  'host.lock-busy': { retry: 'after the earlier command has ended' },
  'host.no-space': ROOM,
  'host.other-boot': { retry: 'looks at the boot that it runs now' },
  'host.outcome-unknown': SIGHT,
  'host.read-only': { retry: 'after the file system can be written: writes again' },
  hugepages: { recommended: 'rollback', retry: 'after memory was made free: asks again' },
  iommu: { recommended: 'rollback', retry: 'reads the proofs again' },
  modules: { retry: 'after what the sentence names was mended: writes and reads back again' },
  'modules.not-loaded': {
    recommended: 'rollback',
    retry: 'after the module was loaded: reads the proofs again',
  },
  'plan.changed': { at: 'inspect', retry: 'takes the plan as it is now' },
  'reboot.did-not-happen': { at: 'reboot', retry: 'tells it to reboot again' },
  'reboot.no-return': {
    at: 'wait',
    retry: 'after a power cycle: waits until it answers and says which line runs',
  },
  'reboot.one-shot-failed': {
    retry: 'after grub-reboot works there by hand: arms the trial again',
  },
  'reboot.refused': { retry: 'after what holds the reboot up was ended: tells it again' },
  'reboot.trial-failed': { ...WRONG_LINE, retry: 'boots the same line on trial once more' },
  'reboot.unexpected-line': { ...WRONG_LINE, retry: 'boots the line once more' },
  'rollback.not-latest': {
    recommended: 'skip',
    retry:
      'only after the later rollout was taken back, which cannot begin while this one holds the host',
  },
  'run.cancelled': { retry: 'goes on where it stopped' },
  'ssh.auth': { retry: 'after the host takes the key of the worker: connects again' },
  'ssh.host-key-changed': KNOWN_HOSTS,
  'ssh.host-key-unknown': KNOWN_HOSTS,
  'ssh.host-key-revoked': KNOWN_HOSTS,
  'ssh.key-file': { retry: 'after the worker can use its key: connects again' },
  ssh: SIGHT,
  'undo.failed': { retry: 'tries again to take back what is left' },
  vfs: { retry: 'after what the sentence names was mended: goes on where the device stands' },
  'undrain.hook-failed': { retry: 'after the hook was mended: runs it again' },
};

/** The rule of a code. A code that has none is retried at its step, after a look at its sentence. */
export function holdRule(code: string): HoldRule {
  return RULES[code] ?? RULES[code.split('.', 1)[0] ?? ''] ?? LOOK;
}
