import { Option, type Command as Commander } from 'commander';
import { subcommand, wholeNumber, type Run } from './program-parts.ts';
import { NEEDS_REASON } from './verb-reason.ts';
import type { StartOptions } from './commands/start.ts';
import type { VerbName, VerbOptions } from './commands/verb.ts';

/** The commands that need an engine. */
export function addRolloutCommands(program: Commander, run: Run): void {
  addStart(program, run);
  addViews(program, run);
  addVerbs(program, run);
}

function addStart(program: Commander, run: Run): void {
  subcommand(program, 'start', 'Start a rollout; asks first, naming hosts and reboots', [
    'start enable-iommu.yaml',
    'start enable-iommu.yaml --plan 7f3a91 --expect-hosts 386 --yes',
  ])
    .argument('<spec>', 'file of the spec')
    .option('--plan <id>', 'start exactly a plan that was shown by `vfleet plan`')
    .option('--expect-hosts <n>', 'refuse unless just so many hosts have changes', wholeNumber(0))
    .option('--reason <text>', 'kept in the trail')
    .option('--yes', 'do not ask')
    .option('--watch', 'follow it to its end')
    .action(async (spec: string, options: StartOptions & { json?: boolean }) =>
      run(options, async (c) => (await import('./commands/start.ts')).start(c, spec, options)),
    );
}

function addViews(program: Commander, run: Run): void {
  subcommand(program, 'list', 'List rollouts, newest first', ['list', 'list --attention'])
    .option('--attention', 'only those in which something waits for a person')
    .option('--limit <n>', 'at most so many', wholeNumber(1), 20)
    .action(async (options: { json?: boolean; attention?: boolean; limit: number }) =>
      run(options, async (c) => (await import('./commands/list.ts')).list(c, options)),
    );
  subcommand(program, 'status', 'Show one rollout: holds, waves, budget, verbs that work now', [
    'status enable-iommu',
    'status enable-iommu#3 --watch',
    'status enable-iommu --watch --json | jq -c .phase',
  ])
    .argument('<name>', 'spec name or rollout id')
    .option('--watch', 'follow it to its end; with --json one line of JSON for each change')
    .action(async (name: string, options: { json?: boolean; watch?: boolean }) =>
      run(options, async (c) => (await import('./commands/status.ts')).status(c, name, options)),
    );
  subcommand(program, 'host', 'Show one host of a rollout: why it waits and the ways out', [
    'host enable-iommu hv-a-118',
  ])
    .argument('<name>', 'spec name or rollout id')
    .argument('<host>', 'name of the host')
    .action(async (name: string, host: string, options: { json?: boolean }) =>
      run(options, async (c) => (await import('./commands/host.ts')).host(c, name, host)),
    );
}

const ROLLOUT_VERBS: readonly (readonly [VerbName, string])[] = [
  ['pause', 'Start no new host; running hosts go on to their end, or stop too with --now'],
  ['resume', 'Go on after a pause'],
  ['promote', 'Let the next wave begin'],
  ['abort', 'End the rollout: no new host starts, held hosts stay as they are'],
];

const HOST_VERBS: readonly (readonly [VerbName, string])[] = [
  ['retry', 'Try hosts again, from the step that failed'],
  ['skip', 'Go on without hosts, leaving them as they are'],
  ['rollback', 'Take hosts back to what they were; on a finished rollout starts the next number'],
];

function addVerbs(program: Commander, run: Run): void {
  for (const [verb, description] of ROLLOUT_VERBS) {
    const command = subcommand(program, verb, description, examplesOf(verb)).argument(
      '<name>',
      'spec name or rollout id',
    );
    if (verb === 'pause') {
      command.option('--now', 'also stop running hosts before their next disruptive step');
    }
    if (verb === 'resume') {
      command.option(
        '--new-budget <n>',
        'after a spent failure budget: how many more hosts may fail',
        wholeNumber(0),
      );
    }
    if (verb === 'abort') {
      command.option('--rollback', 'also take the changed hosts back to what they were');
    }
    addVerbOptions(command, verb).action(async (name: string, options: VerbOptions) =>
      run(options, async (c) =>
        (await import('./commands/verb.ts')).verb(c, verb, name, [], options),
      ),
    );
  }
  for (const [verb, description] of HOST_VERBS) {
    const command = subcommand(program, verb, description, examplesOf(verb))
      .argument('<name>', 'spec name or rollout id')
      .argument('[hosts...]', 'names of hosts');
    for (const [flag, text] of HOST_FLAGS) command.addOption(new Option(flag, text));
    addVerbOptions(command, verb).action(
      async (name: string, hosts: string[], options: VerbOptions) =>
        run(options, async (c) =>
          (await import('./commands/verb.ts')).verb(c, verb, name, hosts, options),
        ),
    );
  }
}

const HOST_FLAGS: readonly (readonly [string, string])[] = [
  ['--held', 'every host that is held'],
  ['--failed', 'every host that failed and has ended'],
  ['--not-started', 'every host that has not begun'],
  ['--done', 'every host that is done'],
  ['--all', 'every host of the rollout'],
];

function addVerbOptions(command: Commander, verb: VerbName): Commander {
  return command
    .option(
      '--reason <text>',
      NEEDS_REASON.has(verb)
        ? 'why; kept in the trail; asked for when missing'
        : 'kept in the trail',
    )
    .option('--yes', 'do not ask')
    .option('--id <id>', 'repeat a verb that was not confirmed: the same id never acts twice');
}

function examplesOf(verb: VerbName): string[] {
  switch (verb) {
    case 'pause':
      return ['pause enable-iommu --reason "storage is rebuilding"', 'pause enable-iommu --now'];
    case 'resume':
      return ['resume enable-iommu', 'resume enable-iommu --new-budget 2'];
    case 'promote':
      return ['promote enable-iommu --yes --reason "canary looks well"'];
    case 'abort':
      return [
        'abort enable-iommu --reason "wrong spec"',
        'abort enable-iommu --rollback --reason "guests lost their network"',
      ];
    case 'retry':
      return ['retry enable-iommu hv-a-118', 'retry enable-iommu --held'];
    case 'skip':
      return ['skip enable-iommu hv-a-118 --reason "broken board"'];
    case 'rollback':
      return [
        'rollback enable-iommu hv-a-118 --reason "guests lost their network"',
        'rollback enable-iommu#3 --all --reason "superseded" --yes',
      ];
  }
}
