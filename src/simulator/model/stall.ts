/** One command that has reached the host and has not begun there. */
export class Stall {
  /** Resolves when the command has arrived. */
  readonly arrived: Promise<void>;
  private arrive!: () => void;
  private go!: () => void;
  private finish!: () => void;
  private readonly gone: Promise<void>;
  private readonly ended: Promise<void>;

  constructor() {
    this.arrived = new Promise((resolve) => (this.arrive = resolve));
    this.gone = new Promise((resolve) => (this.go = resolve));
    this.ended = new Promise((resolve) => (this.finish = resolve));
  }

  /** Lets the command begin; resolves when it has ended on the host. */
  release(): Promise<void> {
    this.go();
    return this.ended;
  }

  /** Called by the host when the command arrives: resolves when it may begin. */
  pass(): Promise<void> {
    this.arrive();
    return this.gone;
  }

  /** Called by the host when the command has ended. */
  end(): void {
    this.finish();
  }
}
