import type { CodeEntries } from './code-entry.ts';

/** What a host said to a command of vfleet. */
export const HOST_CODES = {
  'host.busy': {
    sentence: 'Another rollout holds the host; the sentence says whose it is.',
    symptom:
      'The host is held before anything is written; rollout, person, engine and time of the holder are shown.',
    causes: [
      'another rollout works on the host, or waits on it for a person',
      'an earlier rollout was terminated in its engine, so its lease stayed',
      'two names of the inventory are one machine',
    ],
    exits: [
      'see the holder: `vfleet status NAME` with its name, in its engine; bring it to its end, then `vfleet retry NAME HOST`',
      'only when nothing works on the host any more: `vfleet release HOST -i INVENTORY --reason TEXT`, then `vfleet retry NAME HOST`',
      'or leave this host: `vfleet skip NAME HOST --reason TEXT`',
    ],
  },
  'host.disk-full': {
    sentence: 'A write found no room.',
    symptom: 'The host is held, up; the file that was to be written is as it was.',
    causes: [
      '/boot or the root file system is full',
      'a quota is reached',
      'there are no inodes left',
    ],
    exits: [
      'see it on the host: `df -h /boot /etc /var/lib` and `df -i /boot /etc /var/lib`',
      'make room, then `vfleet retry NAME HOST`',
    ],
  },
  'host.fenced': {
    sentence: 'A newer attempt of the same rollout has been at the host; this one did nothing.',
    symptom:
      'A late command found a newer fencing token in /var/lib/vfleet/fence and refused itself.',
    causes: ['a connection or a worker was so slow that its work was begun again elsewhere'],
    exits: [
      'nothing is broken: `vfleet retry NAME HOST` looks at the host afresh',
      'if it repeats, a second worker keeps acting on the host: `vfleet status NAME` says which are alive',
    ],
  },
  'host.garbage': {
    sentence: "The host answered with something other than vfleet's script.",
    symptom: 'The login works; what came back is not an answer. The sentence shows its beginning.',
    causes: [
      'a forced command (authorized_keys, ForceCommand in sshd_config) answers instead',
      'the login shell is no shell, or ends at once: nologin, a menu, an expired password',
    ],
    exits: [
      'see it by hand: `ssh USER@ADDRESS true` must print nothing and exit with 0',
      'give the user a plain shell, then `vfleet retry NAME HOST`',
    ],
  },
  'host.lease-lost': {
    sentence: "The lease on the host is gone or not this rollout's; nothing was changed.",
    symptom: 'The host is held, and refuses every change of this rollout.',
    causes: [
      'somebody removed /var/lib/vfleet/lease, or restored the host from a backup or image',
      'somebody released the host, and another rollout took it since',
    ],
    exits: [
      'see who holds it now, on the host: `cat /var/lib/vfleet/lease`',
      'let go of it: `vfleet skip NAME HOST --reason TEXT`; then `vfleet retry NAME HOST` begins anew from what is there, with a new lease',
    ],
  },
  'host.lock-busy': {
    sentence: 'An earlier vfleet command still runs on the host.',
    symptom: 'A command waited for /var/lib/vfleet/lock and gave up; it changed nothing.',
    causes: [
      'update-grub or a hook of an earlier attempt, whose connection was lost, is still at work',
      'a write hangs in the kernel, or on a disk',
    ],
    exits: [
      'see who has it on the host: `fuser -v /var/lib/vfleet/lock`',
      'wait for it to end, then `vfleet retry NAME HOST`; one that hangs in the kernel ends only with a reboot',
    ],
  },
  'host.other-boot': {
    sentence: 'The host booted since it was looked at; nothing was changed.',
    symptom: 'A command meant for one boot met the next one, and refused itself.',
    causes: ['somebody rebooted the host, or it crashed, while the rollout worked on it'],
    exits: [
      'see when and why on the host: `last -x reboot shutdown | head` and `journalctl -b -1 -e`',
      'then `vfleet retry NAME HOST`: it looks at the host afresh',
    ],
  },
  'host.outcome-unknown': {
    sentence:
      'The connection or the time ran out while a command may have been running; what it did is unknown.',
    symptom: 'The host is held after fresh looks could not settle what a command did.',
    causes: [
      'the network to the host was cut, or the host went down, in the middle of a command',
      'the command took longer than its time: a slow disk, a slow update-grub',
      'the worker was stopped in the middle of a hook, several times',
    ],
    exits: [
      '`vfleet retry NAME HOST` looks at the host afresh; every change is compared before it is made, so repeating it is safe',
      'if it repeats, see on the host: `uptime`, `dmesg -T | tail`, `fuser -v /var/lib/vfleet/lock`',
    ],
  },
  'host.output-too-large': {
    sentence: 'A file or an answer was larger than vfleet reads.',
    symptom:
      'The host is held or not planned for; nothing was written. The sentence names the file.',
    causes: [
      'a file that is read (grub.cfg, the record) has grown past 1 MiB',
      'the login shell prints without end',
    ],
    exits: [
      'see what has grown on the host: `ls -l /boot/grub/grub.cfg /etc/default/grub /var/lib/vfleet`',
      'by hand `ssh USER@ADDRESS true` must print nothing; then `vfleet retry NAME HOST`',
    ],
  },
  'host.path-refused': {
    sentence: 'The path, or what it links to, is not one that vfleet may write.',
    symptom: 'The host is held; nothing was written there.',
    causes: [
      "one of vfleet's own paths is a link to elsewhere on this host",
      'a mistake in vfleet',
    ],
    exits: [
      'see it on the host: `readlink -f /etc/default/grub.d/zz-vfleet.cfg /etc/grub.d/42_vfleet_trial`',
      'replace the link by a plain file, then `vfleet retry NAME HOST`; without a link, please report it',
    ],
  },
  'host.read-only': {
    sentence: 'The file system is mounted read-only.',
    symptom: 'The host is held, up; the file that was to be written is as it was.',
    causes: [
      'the kernel remounted it read-only after an error of the disk',
      '/boot or the root is mounted read-only on purpose',
    ],
    exits: [
      "see why on the host: `dmesg -T | grep -iE 'remount|i/o error'` and `findmnt --target /boot`",
      'mend the disk, or `mount -o remount,rw` where it is on purpose; then `vfleet retry NAME HOST`',
      'a dying disk: `vfleet skip NAME HOST --reason TEXT`',
    ],
  },
  'host.record-failed': {
    sentence: 'vfleet cannot write its own folder, /var/lib/vfleet.',
    symptom: 'The host is held before the change; without its record nothing is changed.',
    causes: [
      'the root file system is full or read-only',
      '/var/lib/vfleet is a file, a dead link, or protected by chattr',
      'flock or a temporary folder (/run, /dev/shm, /tmp) does not work there',
    ],
    exits: [
      'see it on the host: `ls -ld /var/lib/vfleet`, `lsattr -d /var/lib/vfleet`, `df -h /var/lib`',
      'make it writable for root, then `vfleet retry NAME HOST`',
    ],
  },
  'host.record-full': {
    sentence: "The host's record has no room for another run.",
    symptom: 'The host is held at drain; nothing was changed there.',
    causes: ['several rollouts with hundreds of VFs each stand on this host'],
    exits: [
      '`vfleet skip NAME HOST --reason TEXT`, then roll back a rollout that stands there: `vfleet rollback OTHER HOST --reason TEXT`',
    ],
  },
  'host.not-recordable': {
    sentence: 'What was found on the host has a form that its record cannot hold.',
    symptom: 'The host is held before anything is changed: the state before would be lost.',
    causes: [
      'a driver, an interface or a file of vfleet has a name or a text that is not plain',
      'sysfs is not what it seems to be: the host may have been tampered with',
    ],
    exits: [
      'the evidence holds what was found: `vfleet status NAME HOST`; compare it with the host',
      '`vfleet skip NAME HOST --reason TEXT`, or put it right and `vfleet retry NAME HOST`',
    ],
  },
  'host.record-unreadable': {
    sentence: "The host's record exists, but not as vfleet writes it.",
    symptom: 'The host is held before anything is changed: the state before would be lost.',
    causes: [
      'somebody edited /var/lib/vfleet/record.json, or it came from a backup',
      'a newer release of vfleet wrote it',
    ],
    exits: [
      'see it on the host: `head -c 400 /var/lib/vfleet/record.json`',
      'written by a newer release: use that one',
      'else move it away (a rollback of earlier rollouts is then by hand), then `vfleet retry NAME HOST`',
    ],
  },
  'host.write-denied': {
    sentence: 'Root may not write there: SELinux, AppArmor or chattr.',
    symptom: 'The host is held, up; the file that was to be written is as it was.',
    causes: ['chattr +i on the file or its folder', 'a profile of SELinux or AppArmor forbids it'],
    exits: [
      'see it on the host: `lsattr -d /etc/default/grub.d /etc/grub.d /var/lib/vfleet`, `journalctl -k -g denied`',
      'allow it, then `vfleet retry NAME HOST`',
    ],
  },
  'host.write-failed': {
    sentence: 'A write failed; the message of the host is in the evidence.',
    symptom: 'The host is held, up; the file that was to be written is as it was.',
    causes: ['an error of the disk', 'a folder where a file was expected, or the other way round'],
    exits: [
      'see the message: `vfleet host NAME HOST`; and on the host `dmesg -T | tail`',
      'take the cause away, then `vfleet retry NAME HOST`',
    ],
  },
} as const satisfies CodeEntries;
