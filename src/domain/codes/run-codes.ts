import type { CodeEntries } from './code-entry.ts';

/** A host's run as a whole: its plan, its way back, and what the engine or somebody else did to it. */
export const RUN_CODES = {
  drift: {
    sentence:
      'The machine is neither as it was before nor as it was to become: someone else changed it.',
    symptom:
      'The host is held before the change is made (or taken back); its evidence has what was found and what was expected.',
    causes: [
      "configuration management or a person changed GRUB's files since the plan",
      'a kernel or GRUB package was upgraded meanwhile',
      'update-grub did not run after an edit, so files and menu disagree',
    ],
    exits: [
      'see what was found: `vfleet host NAME HOST`',
      'take that other change back on the host (then `update-grub`), and `vfleet retry NAME HOST`',
      'or keep it, and leave the host as it stands: `vfleet skip NAME HOST --reason TEXT`; a later `vfleet start SPEC` plans it afresh',
    ],
  },
  'plan.changed': {
    sentence: 'The host needs other changes than those that were planned.',
    symptom:
      'The host is held at inspect, before anything is written; the evidence has the changes it needs now.',
    causes: [
      'somebody changed the kernel line since the plan',
      'the host got a new kernel, board or firmware setting since the plan',
    ],
    exits: [
      'see them: `vfleet host NAME HOST`',
      'they are right: `vfleet retry NAME HOST` takes the plan as it is now',
      'they are not: take the other change back on the host first, or `vfleet skip NAME HOST --reason TEXT`',
    ],
  },
  'rollback.no-record': {
    sentence: 'What to take back cannot be read from the record on the host.',
    symptom: 'A rollback is held before anything is written.',
    causes: [
      'somebody edited /var/lib/vfleet/record.json, or it came from a backup',
      'a newer release of vfleet wrote it',
    ],
    exits: [
      'see it on the host: `head -c 400 /var/lib/vfleet/record.json`',
      'put it back from a backup, then `vfleet retry NAME HOST`',
      'or undo without vfleet: `sh /var/lib/vfleet/UNDO.txt` on the host; then `vfleet skip NAME HOST --reason TEXT`',
    ],
  },
  'rollback.not-latest': {
    sentence: 'Another rollout changed the host since; that one goes back first.',
    symptom: 'A rollback is held before anything is written; the sentence names the other rollout.',
    causes: ['rollouts of two specs changed this host, one after the other'],
    exits: [
      'let the host go here, since only one rollout at a time may have it: `vfleet skip NAME HOST --reason TEXT`',
      'take the later one back: `vfleet rollback NAME HOST --reason TEXT` with its name',
      'then this one again: `vfleet rollback NAME HOST --reason TEXT`',
    ],
  },
  'rollback.nothing': {
    sentence: 'The rollout changed none of these hosts, so there is nothing to take back.',
    symptom: 'A rollback of an ended rollout is refused; nothing was started.',
    causes: [
      'the hosts complied already, were blocked, or were never started',
      'they have been taken back already',
    ],
    exits: ['see what was done where: `vfleet status NAME`'],
  },
  'run.cancelled': {
    sentence: "The host's run was cancelled in the engine; nothing was taken back.",
    symptom: 'The host is held before its next step, and stands as it was left.',
    causes: ["somebody used Temporal's own Cancel on the workflow of this host"],
    exits: [
      'go on where it stopped: `vfleet retry NAME HOST`',
      'or take its changes back: `vfleet rollback NAME HOST --reason TEXT`',
    ],
  },
  'run.lost': {
    sentence: "The engine has no run of the host any more; the host's state is unknown.",
    symptom: 'The host is held and counts as unavailable; its lease may still be on it.',
    causes: [
      "somebody used Temporal's Terminate, or deleted the workflow of this host",
      'the database of the engine was lost or put back from a backup',
    ],
    exits: [
      '`vfleet retry NAME HOST` starts a new run that looks at the host afresh and takes its own lease up again',
      'look at it first: `vfleet facts HOST -i INVENTORY`',
    ],
  },
  'run.start-failed': {
    sentence: "The engine could not start the host's run; nothing was written.",
    symptom: 'The host is held without a run of its own; the note has what the engine said.',
    causes: ['the engine did not answer, or refused, several times over'],
    exits: ['see the note: `vfleet status NAME`; mend the engine, then `vfleet retry NAME HOST`'],
  },
  'undo.failed': {
    sentence: 'A change could not be taken back; the evidence says which and why.',
    symptom: 'The rollback of the host is held; what could be taken back was.',
    causes: [
      'somebody changed the same files since: the evidence says drift',
      'the host refused a write or update-grub: the evidence has its code',
    ],
    exits: [
      'see which change and why: `vfleet host NAME HOST`; `vfleet explain CODE` knows the code it names',
      'take the cause away, then `vfleet retry NAME HOST`: it takes back what is left',
      'or undo without vfleet: `sh /var/lib/vfleet/UNDO.txt` on the host; then `vfleet skip NAME HOST --reason TEXT`',
    ],
  },
  'vfleet.bug': {
    sentence: 'vfleet failed in a way it does not know; please report it with the worker’s log.',
    symptom: 'A host is held, or a command failed, with a message from inside vfleet.',
    causes: ['a mistake in vfleet', 'an answer of the engine that vfleet does not know'],
    exits: [
      'repeat a failed command with VFLEET_LOG=debug, or read the log of the worker: it shows where it came from',
      '`vfleet capture HOST DIR -i INVENTORY` makes the files that a report needs',
      'a held host: `vfleet retry NAME HOST`, or `vfleet rollback NAME HOST --reason TEXT`',
    ],
  },
  'vfleet.stopped': {
    sentence: 'The command was stopped by a signal.',
    symptom: 'The command ended with exit code 1; rollouts go on without it.',
    causes: ['Ctrl-C, a closed terminal, or kill'],
    exits: ['see where things stand: `vfleet`', 'only `vfleet pause NAME` stops a rollout'],
  },
  'vfleet.unwritable': {
    sentence: 'The folder for plans and the embedded engine cannot be written.',
    symptom: 'plan, start or up fails before it has done anything.',
    causes: [
      '$XDG_STATE_HOME (or ~/.local/state) belongs to another user or is read-only',
      'the disk of this machine is full',
    ],
    exits: ['make that folder writable, or set XDG_STATE_HOME to one that is'],
  },
} as const satisfies CodeEntries;
