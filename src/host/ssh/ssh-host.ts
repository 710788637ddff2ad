import type { Logger } from 'pino';
import type { HostConnection } from '../../domain/host-entry.ts';
import type { HostPort } from '../port.ts';
import {
  decodeReply,
  encodeCall,
  type Answers,
  type RawReply,
  type Requests,
  type Verb,
} from '../wire.ts';
import type { Call } from '../wire.ts';
import type { CallContext } from './run-call.ts';

export interface SshHostOptions {
  readonly connection: HostConnection;
  /** Runs a call on the host's connection, which is made when there is none. */
  readonly run: (call: Call, context: CallContext) => Promise<RawReply>;
  readonly graceMs: number;
  readonly log: Logger;
}

/** A read that is given up has changed nothing, so its caller need not wait until the host has ended it by force. */
const READ_GRACE_MS = 2000;

/** The host port over SSH: each verb is one command. */
export function createSshHost({ connection, run, graceMs, log }: SshHostOptions): HostPort {
  const { name, user } = connection;
  const perform = async <V extends Verb>(verb: V, request: Requests[V]): Promise<Answers[V]> => {
    const call = encodeCall(verb, request, { host: name, become: user !== 'root' });
    const grace = verb === 'read' ? Math.min(graceMs, READ_GRACE_MS) : graceMs;
    const begun = performance.now();
    const reply = await run(call, { host: name, verb, timeoutMs: call.hostLimitMs + grace });
    log.debug(
      {
        host: name,
        verb,
        ms: Math.round(performance.now() - begun),
        bytes: reply.stdout.length,
        code: reply.code,
      },
      'host command',
    );
    return decodeReply(verb, call.nonce, reply, name);
  };
  return {
    name,
    read: (request) => perform('read', request),
    write: (request) => perform('write', request),
    poke: (request) => perform('poke', request),
    run: (request) => perform('run', request),
  };
}
