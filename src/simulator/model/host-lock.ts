import type { Clock } from './clock.ts';

/** flock(1) on the host's lock file: first come, first served, with a time limit; gone with a reboot. */
export class HostLock {
  private held = false;
  private readonly waiting: (() => void)[] = [];
  private readonly clock: Clock;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Takes the lock; false when it was not free in time. */
  async take(waitMs: number): Promise<boolean> {
    if (!this.held) {
      this.held = true;
      return true;
    }
    return new Promise((resolve) => {
      const got = (): void => {
        cancel();
        resolve(true);
      };
      const cancel = this.clock.after(waitMs, () => {
        const at = this.waiting.indexOf(got);
        if (at !== -1) this.waiting.splice(at, 1);
        resolve(false);
      });
      this.waiting.push(got);
    });
  }

  release(): void {
    const next = this.waiting.shift();
    if (next === undefined) this.held = false;
    else next();
  }
}
