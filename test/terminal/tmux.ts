import { execFile, spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

/** Why a real terminal cannot be had here, or `undefined`. VFLEET_REQUIRE_TMUX=1 makes that a failure, as in CI. */
export function noTmux(): string | undefined {
  const isAbsent = spawnSync('tmux', ['-V']).error !== undefined;
  if (isAbsent && process.env['VFLEET_REQUIRE_TMUX'] === '1') {
    throw new Error('VFLEET_REQUIRE_TMUX=1, and there is no tmux on PATH');
  }
  return isAbsent ? 'needs tmux' : undefined;
}

/** A shell in a terminal of a tmux server of its own. */
export interface TestTerminal {
  /** Types a line and Enter. */
  readonly type: (line: string) => Promise<void>;
  /** Types text and no Enter. */
  readonly write: (text: string) => Promise<void>;
  /** Presses keys by tmux's names: `C-c`, `Tab`. */
  readonly press: (...keys: string[]) => Promise<void>;
  readonly resize: (columns: number, rows: number) => Promise<void>;
  readonly screen: () => Promise<string>;
  /** The screen, as soon as the test holds for it; rejects with the last screen when it does not in time. */
  readonly until: (
    test: RegExp | ((screen: string) => boolean),
    timeoutMs?: number,
  ) => Promise<string>;
  readonly cursorShown: () => Promise<boolean>;
  readonly close: () => Promise<void>;
}

/** How often the screen is read, in milliseconds. */
const EVERY_MS = 100;

/** Opens a terminal with bash in it, whose prompt is `$ `. */
export async function openTerminal(options: {
  readonly columns: number;
  readonly rows: number;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}): Promise<TestTerminal> {
  const socket = `vfleet-test-${process.pid}`;
  const tmux = async (...args: string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)('tmux', [
      '-L',
      socket,
      '-f',
      '/dev/null',
      ...args,
    ]);
    return stdout;
  };
  // By argv and env(1): a shell in between drops PS1, and a login shell makes a PATH of its own.
  const env = { ...options.env, PS1: '$ ', LC_ALL: 'C.UTF-8' };
  await tmux(
    ...['-u', 'new-session', '-d', '-x', String(options.columns), '-y', String(options.rows)],
    ...['-c', options.cwd, 'env', ...Object.entries(env).map((pair) => pair.join('='))],
    ...['bash', '--norc', '--noprofile', '-i'],
  );
  const screen = (): Promise<string> => tmux('capture-pane', '-p');
  return {
    type: async (line) => {
      await tmux('send-keys', '-l', line);
      await tmux('send-keys', 'Enter');
    },
    write: async (text) => {
      await tmux('send-keys', '-l', text);
    },
    press: async (...keys) => {
      await tmux('send-keys', ...keys);
    },
    resize: async (columns, rows) => {
      await tmux('resize-window', '-x', String(columns), '-y', String(rows));
    },
    screen,
    until: async (test, timeoutMs = 30_000) => {
      const holds = typeof test === 'function' ? test : (text: string) => test.test(text);
      const deadline = Date.now() + timeoutMs;
      for (;;) {
        const text = await screen();
        if (holds(text)) return text;
        if (Date.now() > deadline) throw new Error(`not on the screen: ${String(test)}\n${text}`);
        await sleep(EVERY_MS);
      }
    },
    cursorShown: async () => (await tmux('display-message', '-p', '#{cursor_flag}')).trim() === '1',
    // The server of this socket only.
    close: async () => {
      await tmux('kill-server');
    },
  };
}
