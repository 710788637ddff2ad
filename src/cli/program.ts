import { Command as Commander } from 'commander';
import type { PlanOptions } from './commands/plan.ts';
import { subcommand, throwOwnErrors, wholeNumber, type Run } from './program-parts.ts';
import { addCompletionCommands } from './program-completion.ts';
import { addRolloutCommands } from './program-rollouts.ts';

/**
 * The command line: names, options, help and examples only. The work of each command is in commands/ and is imported
 * when it is called, so that `--help` stays fast.
 */
export function createProgram(run: Run, version: string): Commander {
  const program = new Commander('vfleet')
    .description('Durable, reversible rollouts of IOMMU and PCI passthrough over a fleet of hosts.')
    .version(version)
    .configureOutput({ outputError: () => undefined })
    .addHelpText('after', FOOTER);
  throwOwnErrors(program);
  addHostCommands(program, run);
  addRolloutCommands(program, run);
  addProcessCommands(program, run);
  addCompletionCommands(program);
  return program;
}

const FOOTER = `
Start here:
  $ vfleet demo                                  a whole rollout on simulated hosts, nothing to set up
  $ vfleet check spec.yaml && vfleet plan spec.yaml
  $ vfleet up                                    the engine and a worker, on this machine

NAME is a spec's name (its newest rollout) or one rollout: enable-iommu#3
Exit codes: 0 done, 1 failed, 2 usage or spec, 3 held or waiting, 4 no engine or no worker, 5 refused`;

function addHostCommands(program: Commander, run: Run): void {
  subcommand(
    program,
    'check',
    'Check a spec, its inventory and its host pattern; touches no host',
    ['check enable-iommu.yaml'],
  )
    .argument('<spec>', 'file of the spec')
    .action(async (spec: string, options: { json?: boolean }) =>
      run(options, async (c) => (await import('./commands/check.ts')).check(c, spec)),
    );
  subcommand(program, 'inventory', 'List the hosts of an inventory that a pattern selects', [
    'inventory -i inventory/',
    "inventory -i hosts.yaml 'hypervisors:&rack_a:!retired'",
    "inventory -i hosts.yaml '~hv-(fra|ams)-\\d+' --json",
  ])
    .argument('[pattern]', 'host pattern', 'all')
    .requiredOption('-i, --inventory <path>', 'inventory: a file or a folder')
    .action(async (pattern: string, options: { json?: boolean; inventory: string }) =>
      run(options, async (c) =>
        (await import('./commands/inventory.ts')).inventory(c, pattern, options),
      ),
    );
  subcommand(program, 'facts', 'Read one host, or a capture, and show what was understood', [
    'facts hv-a-001 -i inventory.yaml',
    'facts --from captures/hv-a-001',
  ])
    .argument('[host]', 'name in the inventory')
    .option('-i, --inventory <path>', 'inventory: a file or a folder')
    .option('--from <dir>', 'a capture instead of a host')
    .option('--all', 'also list bridges, the chipset, and each virtual function')
    .action(
      async (
        host: string | undefined,
        options: { json?: boolean; inventory?: string; from?: string; all?: boolean },
      ) => run(options, async (c) => (await import('./commands/facts.ts')).facts(c, host, options)),
    );
  subcommand(program, 'capture', 'Save all that a probe reads from a host as a file tree', [
    'capture hv-a-001 captures/hv-a-001 -i inventory.yaml',
  ])
    .argument('<host>', 'name in the inventory')
    .argument('<dir>', 'folder to write; must be empty or absent')
    .requiredOption('-i, --inventory <path>', 'inventory: a file or a folder')
    .action(async (host: string, dir: string, options: { json?: boolean; inventory: string }) =>
      run(options, async (c) =>
        (await import('./commands/capture.ts')).capture(c, host, dir, options),
      ),
    );
  addDiagnose(program, run);
  addRelease(program, run);
  addPlan(program, run);
  subcommand(program, 'explain', 'Say what a code means, why it comes, and what to do; offline', [
    'explain reboot.no-return',
    'explain ssh                             every code of that family',
  ])
    .argument('[code]', 'code, or a part of one; without it every code is listed')
    .action(async (code: string | undefined, options: { json?: boolean }) =>
      run(options, async (c) => (await import('./commands/explain.ts')).explain(c, code)),
    );
}

function addDiagnose(program: Commander, run: Run): void {
  subcommand(program, 'diagnose', 'Say what is wrong with hosts, why, and what to do; reads only', [
    'diagnose hv-a-118 -i inventory.yaml',
    'diagnose hv-a-118 hv-a-119 -i inventory.yaml --json',
    'diagnose --from captures/hv-a-118',
  ])
    .argument('[hosts...]', 'names in the inventory')
    .option('-i, --inventory <path>', 'inventory: a file or a folder')
    .option('--from <dir>', 'a capture instead of hosts')
    .action(
      async (hosts: string[], options: { json?: boolean; inventory?: string; from?: string }) =>
        run(options, async (c) =>
          (await import('./commands/diagnose.ts')).diagnose(c, hosts, options),
        ),
    );
}

function addRelease(program: Commander, run: Run): void {
  subcommand(program, 'release', 'Take a host from a rollout that will not give it up any more', [
    'release hv-a-118 -i inventory.yaml --reason "its engine was lost in the fire"',
  ])
    .argument('<host>', 'name in the inventory')
    .requiredOption('-i, --inventory <path>', 'inventory file or folder')
    .requiredOption('--reason <text>', "kept in the host's record")
    .option('--yes', 'do not ask')
    .action(
      async (
        host: string,
        options: { json?: boolean; inventory: string; reason: string; yes?: boolean },
      ) =>
        run(options, async (c) =>
          (await import('./commands/release.ts')).release(c, host, options),
        ),
    );
}

function addPlan(program: Commander, run: Run): void {
  subcommand(program, 'plan', 'Show what a rollout would change; writes to no host', [
    'plan enable-iommu.yaml',
    'plan enable-iommu.yaml --hosts A',
    'plan enable-iommu.yaml --from captures/hv-a-001',
    'plan enable-iommu.yaml --detailed-exitcode || mail -s drift ops   (for cron)',
  ])
    .argument('<spec>', 'file of the spec')
    .option('--from <dir>', 'plan for a capture instead of the hosts of the spec')
    .option('--hosts <kind>', 'also list every host of a kind (a letter) or of a wave (its name)')
    .option('--parallel <n>', 'hosts probed at once', wholeNumber(1), 32)
    .option(
      '--detailed-exitcode',
      'exit 0: every host complies; 3: something to change or blocked; 1: not known, a host did not answer',
    )
    .action(async (spec: string, options: PlanOptions & { json?: boolean }) =>
      run(options, async (c) => (await import('./commands/plan.ts')).plan(c, spec, options)),
    );
}

function addProcessCommands(program: Commander, run: Run): void {
  subcommand(program, 'up', 'Run an embedded engine and a worker on this machine until Ctrl-C', [
    'up',
    'up --hooks hooks/',
  ])
    .option('--hooks <dir>', 'folder of the hooks that specs may name')
    .action(async (options: { json?: boolean; hooks?: string }) =>
      run(options, async (c) => (await import('./commands/up.ts')).up(c, options)),
    );
  subcommand(program, 'worker', 'Run a worker for a Temporal cluster until Ctrl-C', [
    'worker --hooks /etc/vfleet/hooks        (engine from TEMPORAL_ADDRESS or a Temporal profile)',
  ])
    .option('--hooks <dir>', 'folder of the hooks that specs may name')
    .option('--task-queue <name>', 'task queue to serve')
    .action(async (options: { json?: boolean; hooks?: string; taskQueue?: string }) =>
      run(options, async (c) => (await import('./commands/worker.ts')).worker(c, options)),
    );
  subcommand(program, 'demo', 'A whole rollout on a simulated fleet, from nothing to its end', [
    'demo',
    'demo --seed 7',
  ])
    .option('--hosts <n>', 'simulated hosts', wholeNumber(10), 40)
    .option('--seed <n>', 'the same seed makes the same fleet', wholeNumber(0), 1)
    .action(async (options: { json?: boolean; hosts: number; seed: number }) =>
      run(options, async (c) => (await import('./commands/demo.ts')).demo(c, options)),
    );
}
