import { once } from 'node:events';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { expect } from 'vitest';
import { runCliHere, startCli, type CliOptions } from '../cli/run-cli.ts';

/** What a command printed, as a person sees it. */
export interface Screen {
  readonly code: number | null;
  /** Both streams. */
  readonly text: string;
}

/** Commands that may be typed until the cause is plain and the exit is taken. */
const COMMANDS_MAX = 3;

/**
 * One person at 3 a.m., who knows nothing but what is on the screen: types `vfleet`, and then only commands that a screen
 * has shown, three in all.
 */
export class Drill {
  readonly #cli: CliOptions;
  #typed = 0;

  constructor(cli: CliOptions) {
    this.#cli = cli;
  }

  /** Types bare `vfleet`: where everybody starts. */
  begin(): Promise<Screen> {
    return this.#run([]);
  }

  /** Types the command that stands on a screen; `more` is what the person says when asked. */
  follow(screen: Screen, lead: RegExp, ...more: readonly string[]): Promise<Screen> {
    return this.#run([...this.#read(screen, lead), ...more]);
  }

  /** Types a command that serves until it is stopped, and looks at it until it says `ready`. */
  async serve(screen: Screen, lead: RegExp): Promise<ChildProcessWithoutNullStreams> {
    this.#count();
    const child = startCli(this.#read(screen, lead), this.#cli);
    child.stderr.resume();
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    while (!text.includes('ready')) await once(child.stdout, 'data');
    return child;
  }

  /** The words of the command of vfleet that a screen shows: the first group of `lead`. */
  #read(screen: Screen, lead: RegExp): readonly string[] {
    expect(screen.text).toMatch(lead);
    const [vfleet, ...words] = (lead.exec(screen.text)?.[1] ?? '').split(' ');
    expect(vfleet).toBe('vfleet');
    return words;
  }

  async #run(words: readonly string[]): Promise<Screen> {
    this.#count();
    const { code, stdout, stderr } = await runCliHere(words, this.#cli);
    return { code, text: stdout + stderr };
  }

  #count(): void {
    this.#typed += 1;
    expect(this.#typed).toBeLessThanOrEqual(COMMANDS_MAX);
  }
}

/** A paragraph of a screen in one line: the terminal's width says nothing. */
export const unwrapped = (screen: Screen): string => screen.text.replace(/\s+/g, ' ');
