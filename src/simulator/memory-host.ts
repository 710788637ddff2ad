import type { HostConnection } from '../domain/host-entry.ts';
import type { HostDirectory } from '../host/connection.ts';
import { HostError, OutcomeUnknown } from '../host/errors.ts';
import type { HostPort, PokeRequest, ReadRequest, RunRequest, WriteRequest } from '../host/port.ts';
import {
  decodeReply,
  encodeCall,
  type Answers,
  type RawReply,
  type Requests,
  type Verb,
} from '../host/wire.ts';
import { execute, type Execution } from './execute.ts';
import { sleep } from './model/clock.ts';
import { createModelHost, type CreateModelHostOptions } from './model/create-model-host.ts';
import type { ModelHost } from './model/model-host.ts';

/** SSH_CONNECTION of an operator's machine. */
const CONNECTION = '10.0.0.9 50022 10.0.0.11 22';

/**
 * A host port without a network, in front of a model host. Requests and replies go through the same encoding as over
 * SSH, so what it refuses and how it fails is the same; `model` is the test's way behind it.
 */
export class MemoryHost implements HostPort {
  readonly name: string;
  readonly model: ModelHost;
  private readonly cutters = new Set<(done: Execution) => void>();

  constructor(model: ModelHost) {
    this.name = model.name;
    this.model = model;
  }

  read(request: ReadRequest): Promise<Answers['read']> {
    return this.send('read', request);
  }

  write(request: WriteRequest): Promise<Answers['write']> {
    return this.send('write', request);
  }

  poke(request: PokeRequest): Promise<Answers['poke']> {
    return this.send('poke', request);
  }

  run(request: RunRequest): Promise<Answers['run']> {
    return this.send('run', request);
  }

  /** Cuts what is under way off from its caller; on the host it goes on. */
  cutConnections(): void {
    for (const cut of this.cutters) cut({ kind: 'cut' });
  }

  private async unlessCut(done: Promise<Execution>): Promise<Execution> {
    let cutter: (done: Execution) => void = () => undefined;
    const cut = new Promise<Execution>((resolve) => (cutter = resolve));
    this.cutters.add(cutter);
    try {
      return await Promise.race([done, cut]);
    } finally {
      this.cutters.delete(cutter);
    }
  }

  private async send<V extends Verb>(verb: V, request: Requests[V]): Promise<Answers[V]> {
    const { model, name } = this;
    const call = encodeCall(verb, request, { host: name, become: true });
    await this.connect(request.deadlineMs);
    const done = await this.unlessCut(execute(model, call.command, call.stdin, CONNECTION));
    if (done.kind !== 'stalled') return decodeReply(verb, call.nonce, rawReply(done), name);
    await sleep(model.clock, request.deadlineMs);
    if (verb === 'read') throw new HostError('ssh.timeout', name, 'it did not answer in time');
    throw new OutcomeUnknown(name, `a ${verb} was not answered in time; it is probed afresh`);
  }

  /** What goes wrong before any command, in the order in which SSH meets it. */
  private async connect(deadlineMs: number): Promise<void> {
    const { model, name } = this;
    if (!model.up || model.faults.has('refuses')) {
      throw new HostError('ssh.refused', name, 'connection refused; is sshd running there?');
    }
    const stall = model.faults.find('stalls');
    if (stall !== undefined && stall.at !== 'command') {
      await sleep(model.clock, deadlineMs);
      throw new HostError('ssh.timeout', name, 'it accepted the connection and said nothing');
    }
    if (model.faults.has('wrong-host-key')) {
      throw new HostError(
        'ssh.host-key-changed',
        name,
        'its host key is not the one that is known',
      );
    }
  }
}

function rawReply(done: Exclude<Execution, { kind: 'stalled' }>): RawReply {
  if (done.kind === 'answered') return done;
  return { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0), code: null };
}

/**
 * Makes an in-memory host.
 *
 * @example
 * const host = createMemoryHost({ name: 'hv1', kernelArgs: ['intel_iommu=off'] });
 * await host.run({ argv: ['update-grub'], deadlineMs: 1000 });
 * host.model.log.changes();
 */
export function createMemoryHost(options: CreateModelHostOptions): MemoryHost {
  return new MemoryHost(createModelHost(options));
}

/** A directory of in-memory hosts, by name; what is not in it has a name that does not resolve. */
export function createMemoryDirectory(hosts: readonly MemoryHost[]): HostDirectory {
  return {
    host: (connection: HostConnection) => {
      const found = hosts.find((host) => host.name === connection.name);
      if (found !== undefined) return found;
      throw new HostError('ssh.name-not-found', connection.name, 'no such in-memory host');
    },
    forget: () => undefined,
    close: () => {
      for (const host of hosts) host.model.dispose();
      return Promise.resolve();
    },
  };
}
