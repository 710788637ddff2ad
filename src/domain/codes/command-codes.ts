import type { CodeEntries } from './code-entry.ts';

/**
 * What a command of the CLI refuses or fails with. Usage errors (exit code 2) have no code: their sentence names what
 * was written and what is known instead, and there is no more to say.
 */
export const COMMAND_CODES = {
  'confirm.declined': {
    sentence: 'The question was not answered with yes, so nothing was done.',
    symptom: 'The command ends with exit code 5.',
    causes: ['the answer was no, or just Enter: only y or yes goes on'],
    exits: ['run it again and answer y, or add --yes'],
  },
  'confirm.nobody': {
    sentence: 'The command must ask first, and nobody is there to answer.',
    symptom: 'The command ends with exit code 5 and prints the question; nothing was done.',
    causes: ['it runs in a script, a pipe or with --json, without --yes'],
    exits: ['read the question; when that is what you want, run it again with --yes'],
  },
  'engine.none': {
    sentence: 'No engine runs here, or none answers at the address.',
    symptom:
      'Commands that need the engine end with exit code 4; hosts are not affected, rollouts wait.',
    causes: [
      '`vfleet up` is not running on this machine',
      'TEMPORAL_ADDRESS or the Temporal profile names a server that is down, or another one',
      'a firewall or wrong TLS settings are between',
    ],
    exits: [
      'on your own machine: `vfleet up`; rollouts go on where they were',
      "for a cluster: `echo $TEMPORAL_ADDRESS`, `temporal operator cluster health`; the profiles are in Temporal's own config file",
    ],
  },
  'engine.silent': {
    sentence: 'The engine is there and did not answer in time; what was asked may still happen.',
    symptom: 'The command ends with exit code 4.',
    causes: [
      'the engine is overloaded, or its database is',
      'the connection to it is slow or was cut',
    ],
    exits: [
      'see where things stand before you repeat it: `vfleet list`',
      'the log of the engine: `vfleet up` prints it with VFLEET_LOG=info',
    ],
  },
  'release.not-written': {
    sentence: 'The lease on the host could not be taken away.',
    symptom: 'The command ends with exit code 1; the sentence names the file and what is wrong.',
    causes: [
      'somebody changed the lease or the record in the same moment',
      'the disk is full, or its file system is read-only',
    ],
    exits: ['see what is there now: `vfleet facts HOST -i INVENTORY`; then release it again'],
  },
  'release.running': {
    sentence:
      'The rollout that holds the host still runs it, or is open, so the host is not taken from it.',
    symptom: 'The command ends with exit code 5; nothing was done.',
    causes: [
      'the run of the host works, or is held and waits for a person',
      'the rollout is open and may run the machine under the name that its own inventory has for it',
    ],
    exits: [
      'see why it waits and what leads out: `vfleet host NAME HOST`',
      'leave the host as it is: `vfleet skip NAME HOST --reason TEXT` gives its lease up',
      'end the rollout: `vfleet abort NAME`; then release the host, if it is held still',
    ],
  },
  'rollout.ended': {
    sentence: 'The rollout has ended, and the verb needs one that is under way.',
    symptom: 'The verb is refused; nothing was done.',
    causes: [
      'the rollout was done, aborted, or had failed',
      'the name means a newer rollout than you think',
    ],
    exits: [
      'see how it ended: `vfleet status NAME`; all rollouts: `vfleet list`',
      'more hosts, or the rest: `vfleet start SPEC`, which leaves hosts that comply alone',
      'take it back: `vfleet rollback NAME --all --reason TEXT` starts the next number',
    ],
  },
  'rollout.ended-outside': {
    sentence: "The rollout was ended by Temporal's own tools, so it has no result.",
    symptom:
      'status cannot show it; hosts that it worked on may still carry its lease and its changes.',
    causes: ["Temporal's Terminate, or a timeout that somebody set on the workflow"],
    exits: [
      'see what is on a host: `vfleet facts HOST -i INVENTORY`',
      'bring the hosts to the target with `vfleet start SPEC`; one that is held as busy: `vfleet explain host.busy`',
    ],
  },
  'rollout.under-way': {
    sentence: 'A rollout of this spec is under way, and one runs at a time.',
    symptom: 'start is refused; nothing was started.',
    causes: [
      'the rollout still works, waits for a person or is paused',
      'somebody else started it',
    ],
    exits: [
      'see it: `vfleet status NAME`',
      'end it: `vfleet abort NAME --reason TEXT`; then start again',
    ],
  },
  'rollout.unreadable': {
    sentence: 'The engine does not say what the rollout was started with.',
    symptom: 'A rollback of an ended rollout cannot begin; nothing was started.',
    causes: ['the history of the rollout was deleted: its retention has passed'],
    exits: [
      'each host undoes what was done to it, without vfleet: `sh /var/lib/vfleet/UNDO.txt` there',
    ],
  },
  'start.no-number': {
    sentence: 'Others started rollouts of this spec again and again at the same moment.',
    symptom: 'start gave up; nothing was started.',
    causes: ['a script starts the same spec in a loop, or from many places'],
    exits: ['see them: `vfleet list`; then `vfleet start SPEC` again'],
  },
  'start.spec-changed': {
    sentence: 'The spec is not as it was when the plan was made.',
    symptom: 'start --plan is refused and lists what is different; nothing was started.',
    causes: ['the spec was edited since'],
    exits: ['`vfleet plan SPEC` shows what it means now, and keeps that under a new id'],
  },
  'start.wrong-count': {
    sentence: 'Another number of hosts would change than --expect-hosts says.',
    symptom: 'start is refused; nothing was started.',
    causes: [
      'hosts were added to the inventory, or taken from it',
      'some hosts comply already, are blocked or do not answer',
    ],
    exits: ['see which: `vfleet plan SPEC`; then give the right number to --expect-hosts'],
  },
  'up.broken': {
    sentence: 'The embedded engine or its worker has ended by itself.',
    symptom: '`vfleet up` ends with exit code 1; rollouts wait until it runs again.',
    causes: ['the machine ran out of memory or disk', 'somebody killed the process'],
    exits: ['`VFLEET_LOG=info vfleet up` shows more; rollouts go on where they were'],
  },
  'up.running': {
    sentence: '`vfleet up` runs already for this state folder.',
    symptom: 'The second one is refused; the sentence has process, address and time of the first.',
    causes: ['it runs in another terminal, or as a service'],
    exits: ['use that one: other commands find it by themselves: `vfleet list`'],
  },
  'verb.no-host': {
    sentence: 'No host of the rollout is meant by this selection.',
    symptom: 'The verb is refused; nothing was done.',
    causes: ['no host is in that state (any more)', 'another flag was meant'],
    exits: ['see the states of the hosts: `vfleet status NAME`'],
  },
  'verb.not-confirmed': {
    sentence: 'The engine did not confirm the verb in time; it may still run.',
    symptom: 'The command ends with exit code 4; the verb is neither done nor refused.',
    causes: ['no worker is alive, or all are busy', 'the connection to the engine was cut'],
    exits: [
      'repeat it with the --id that it printed: the same id never acts twice',
      'see where things stand: `vfleet status NAME`',
    ],
  },
  'verb.refused': {
    sentence: 'The rollout refused the verb; its reason says what would work instead.',
    symptom: 'The command ends with exit code 5; nothing was done.',
    causes: ['the rollout, or the host, is in a state that this verb does not leave'],
    exits: ['see the state and the verbs that work now: `vfleet status NAME`'],
  },
  'worker.none': {
    sentence: 'The engine is there, and no worker serves its task queue.',
    symptom:
      'Commands that need a worker end with exit code 4; nothing moves on any host until one is back. Ended rollouts can still be shown.',
    causes: [
      'the worker was stopped or has crashed',
      'the workers serve another task queue, namespace or engine',
    ],
    exits: [
      'start one on a machine that reaches the hosts: `vfleet worker`; rollouts go on where they were',
      'the sentence names engine and queue: compare with VFLEET_TASK_QUEUE, TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE of the worker',
    ],
  },
} as const satisfies CodeEntries;
