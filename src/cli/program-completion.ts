import { Argument, type Command as Commander } from 'commander';
import { throwOwnErrors } from './program-parts.ts';

/** The commands behind TAB. They read one small file and no engine, and make no context, since a person waits for each key. */
export function addCompletionCommands(program: Commander): void {
  const completion = program
    .command('completion')
    .description('Print the completion script of a shell')
    .addArgument(new Argument('<shell>', 'your shell').choices(['bash', 'zsh', 'fish'] as const))
    .addHelpText(
      'after',
      '\nExamples:\n  $ source <(vfleet completion bash)        (or zsh; in the file that your shell reads at its start)\n  $ vfleet completion fish | source',
    )
    .action(async (shell: 'bash' | 'zsh' | 'fish') => {
      const { COMPLETION_SCRIPTS } = await import('./completion-scripts.ts');
      process.stdout.write(COMPLETION_SCRIPTS[shell]);
    });
  throwOwnErrors(completion, 'completion bash');
  program
    .command('complete [words...]', { hidden: true })
    .description('What may stand next on a command line; for the scripts of `vfleet completion`')
    .allowUnknownOption()
    .action(async (words: string[]) => {
      const { printCompletion } = await import('./commands/complete.ts');
      await printCompletion(program, words);
    });
}
