import { OutcomeUnknown } from '../../src/host/errors.ts';
import type { HostPort, PokeRequest, RunRequest, WriteRequest } from '../../src/host/port.ts';

/**
 * A port whose caller dies after so many single mutations: a file, a write to a kernel file, or a program. What comes
 * before has taken effect, also in the middle of a command; from then on no verb answers.
 */
export class CrashingPort implements HostPort {
  readonly name: string;
  readonly #host: HostPort;
  #left: number;
  #crashed = false;
  #taken = 0;

  constructor(host: HostPort, mutations = Number.POSITIVE_INFINITY) {
    this.name = host.name;
    this.#host = host;
    this.#left = mutations;
  }

  /** Single mutations that have taken effect so far. */
  get mutations(): number {
    return this.#taken;
  }

  get crashed(): boolean {
    return this.#crashed;
  }

  read: HostPort['read'] = (request) => {
    this.#mustLive();
    return this.#host.read(request);
  };

  write = async (request: WriteRequest) => {
    const files = this.#take(request.files);
    if (files.length === request.files.length) return this.#host.write(request);
    if (files.length > 0) await this.#host.write({ ...request, files });
    return this.#die();
  };

  poke = async (request: PokeRequest) => {
    const writes = this.#take(request.writes);
    if (writes.length === request.writes.length) return this.#host.poke(request);
    if (writes.length > 0) await this.#host.poke({ ...request, writes });
    return this.#die();
  };

  run = async (request: RunRequest) => {
    const counted = request.guard === undefined ? [] : [request];
    if (this.#take(counted).length < counted.length) return this.#die();
    return this.#host.run(request);
  };

  #take<T>(mutations: readonly T[]): readonly T[] {
    this.#mustLive();
    const taken = mutations.slice(0, this.#left);
    this.#left -= taken.length;
    this.#taken += taken.length;
    return taken;
  }

  #mustLive(): void {
    if (this.#crashed) this.#die();
  }

  #die(): never {
    this.#crashed = true;
    throw new OutcomeUnknown(this.name, 'the worker died here');
  }
}
