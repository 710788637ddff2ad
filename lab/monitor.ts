import { createInterface } from 'node:readline';
import type { Duplex } from 'node:stream';

/** QEMU's machine protocol: one JSON object a line, answers in the order of the commands. */
export interface Monitor {
  /** Rejects with QEMU's own words, or when QEMU ends first. */
  execute(command: string, args?: Readonly<Record<string, unknown>>): Promise<unknown>;
}

interface Reply {
  readonly return?: unknown;
  readonly error?: { readonly desc: string };
}

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Speaks QMP over an inherited socket; commands may be given at once, QEMU reads them when it is ready. */
export function openMonitor(name: string, socket: Duplex): Monitor {
  const pending: Pending[] = [];
  let ended = false;
  const end = () => {
    ended = true;
    for (const { reject } of pending.splice(0))
      reject(new Error(`lab machine ${name}: QEMU has ended`));
  };
  socket.on('close', end);
  const lines = createInterface({ input: socket });
  // A machine that is killed may reset its end, which readline reports too; `close` follows either way.
  socket.on('error', () => undefined);
  lines.on('error', () => undefined);
  lines.on('line', (line) => {
    const reply = JSON.parse(line) as Reply;
    // Anything else is the greeting or an event.
    if (reply.return === undefined && reply.error === undefined) return;
    const command = pending.shift();
    if (reply.error === undefined) command?.resolve(reply.return);
    else command?.reject(new Error(`lab machine ${name}: QEMU says: ${reply.error.desc}`));
  });

  const execute: Monitor['execute'] = (command, args = {}) =>
    new Promise((resolve, reject) => {
      pending.push({ resolve, reject });
      if (ended) end();
      else socket.write(`${JSON.stringify({ execute: command, arguments: args })}\n`);
    });
  const ready = execute('qmp_capabilities');
  // A machine may be stopped before anybody asks it for anything.
  ready.catch(() => undefined);
  return {
    async execute(command, args) {
      await ready;
      return execute(command, args);
    },
  };
}
