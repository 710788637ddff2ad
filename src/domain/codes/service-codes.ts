import type { CodeEntries } from './code-entry.ts';

/** Taking a host out of service, its health, and bringing it back. */
export const SERVICE_CODES = {
  'drain.guests-running': {
    sentence: 'Guests run on the host, and the spec has no drain hook.',
    symptom: 'The host is held at drain, up and in service; its kernel line is as it was.',
    causes: ['nobody moved the guests away', 'a guest was started since the plan'],
    exits: [
      'see them on the host: `virsh list`; move them away or shut them down, then `vfleet retry NAME HOST`',
      'for the next rollout: name a hook that does it under hooks.drain of the spec',
      'or leave this host: `vfleet skip NAME HOST --reason TEXT`',
    ],
  },
  'drain.hook-failed': {
    sentence: 'The drain hook did not exit with 0.',
    symptom:
      'The host is held at drain, up; it counts as drained, since the hook may have moved guests away.',
    causes: [
      'what the hook calls refused: no other host has room, or a guest cannot be moved',
      'the hook took longer than hooks.drain.timeout',
      "the file is not in the worker's hooks folder, or cannot be run",
    ],
    exits: [
      'see the end of its output: `vfleet host NAME HOST`',
      'take the cause away, then `vfleet retry NAME HOST`: the hook runs again',
      'or bring it back into service: `vfleet rollback NAME HOST --reason TEXT`',
    ],
  },
  'health.failed': {
    sentence: 'The health hook did not exit with 0.',
    symptom:
      'The host is held at health: it runs the new kernel line, proven, and is still drained.',
    causes: [
      'a service did not come up after the reboot, or is still coming up',
      'the new line broke something that the hook looks at',
      'the hook took longer than its timeout, or is missing where it is to run',
    ],
    exits: [
      'see the end of its output: `vfleet host NAME HOST`; and on the host `systemctl --failed`',
      'take the changes back: `vfleet rollback NAME HOST --reason TEXT`',
      'or mend it, then `vfleet retry NAME HOST`: the hook runs again',
    ],
  },
  'undrain.hook-failed': {
    sentence: 'The undrain hook did not exit with 0.',
    symptom:
      'The host is held at undrain: its changes are made (or taken back) and proven, and it is still out of service.',
    causes: [
      'what the hook calls refused to take the host back',
      'the hook took longer than hooks.undrain.timeout',
      "the file is not in the worker's hooks folder, or cannot be run",
    ],
    exits: [
      'see the end of its output: `vfleet host NAME HOST`',
      'take the cause away, then `vfleet retry NAME HOST`: the hook runs again',
    ],
  },
} as const satisfies CodeEntries;
