import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { RolloutStatus } from '../src/domain/status.ts';

const VFLEET = fileURLToPath(new URL('../bin/vfleet', import.meta.url));

/** What a command printed, and its exit code. */
export interface Printed {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The CLI of this checkout as a person would call it, with a state folder of its own. */
export class VfleetCli {
  private readonly env: NodeJS.ProcessEnv;
  private readonly cwd: string;
  private engine: ChildProcess | undefined;

  /** `folder` becomes the working folder and holds all state. */
  constructor(folder: string) {
    this.cwd = folder;
    this.env = { ...process.env, XDG_STATE_HOME: `${folder}/state`, NO_COLOR: '1' };
  }

  /** Runs a command to its end. */
  async run(...args: string[]): Promise<Printed> {
    const child = this.spawn(args);
    const output = { stdout: '', stderr: '' };
    child.stdout?.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, ...output };
  }

  /** Starts `vfleet up` and resolves when it says that it is ready. */
  async up(): Promise<void> {
    const child = this.spawn(['up']);
    this.engine = child;
    let said = '';
    child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await new Promise<void>((resolve, reject) => {
      child.stdout?.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        if (/ready/i.test(said)) resolve();
      });
      child.once('close', () => {
        reject(new Error(`vfleet up ended: ${said}`));
      });
    });
  }

  /** Ends `vfleet up` as Ctrl-C does. */
  async down(): Promise<void> {
    const { engine } = this;
    if (engine?.exitCode !== null) return;
    const closed = once(engine, 'close');
    engine.kill('SIGINT');
    await closed;
  }

  /** Follows a rollout by `status --watch --json` until it is as wanted; rejects when it ends otherwise. */
  async until(rollout: string, wanted: (status: RolloutStatus) => boolean): Promise<RolloutStatus> {
    const child = this.spawn(['status', rollout, '--watch', '--json']);
    const closed = once(child, 'close');
    let last = '';
    try {
      for await (const line of createInterface({ input: child.stdout! })) {
        last = line;
        const status = JSON.parse(line) as RolloutStatus;
        if (wanted(status)) return status;
      }
      throw new Error(`${rollout} ended otherwise: ${last.slice(0, 4000)}`);
    } finally {
      child.kill('SIGINT');
      await closed;
    }
  }

  private spawn(args: readonly string[]): ChildProcess {
    return spawn(VFLEET, args, {
      cwd: this.cwd,
      env: this.env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }
}
