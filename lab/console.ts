import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** What a lab machine says of itself on its serial console each time its SSH starts to listen. */
export interface Boot {
  /** The kernel's random/boot_id. */
  readonly bootId: string;
  /** Type and base64 key, as in a known_hosts line; it comes by the console, so nothing on the network is trusted. */
  readonly hostKey: string;
}

/** A serial console: what was said is kept in a file, and each completed boot is an event. */
export interface SerialConsole {
  readonly boots: readonly Boot[];
  /** The boot with this index (0 is the first), as soon as it is complete; rejects when the machine or its time ends. */
  boot(index: number, timeoutMs: number): Promise<Boot>;
}

interface Waiter {
  readonly index: number;
  readonly resolve: (boot: Boot) => void;
  readonly reject: (error: Error) => void;
}

const readyLine = /^lab-ready ([0-9a-f-]{36}) (ssh-\S+ [A-Za-z0-9+/=]+)\s*$/;
const tailLines = 30;

/** Follows a console from its start; `name` and `logFile` are for the errors, which end with the last lines said. */
export function followConsole(name: string, output: Readable, logFile: string): SerialConsole {
  const boots: Boot[] = [];
  const tail: string[] = [];
  let waiters: Waiter[] = [];
  let ended = false;
  const failure = (why: string) =>
    new Error(
      `lab machine ${name}: ${why}; its console (${logFile}) ends with:\n${tail.join('\n')}`,
    );

  const log = createWriteStream(logFile);
  // The folder may be gone before the file was opened, when a machine is stopped at once.
  log.on('error', () => undefined);
  output.pipe(log);
  const lines = createInterface({ input: output });
  // A machine that is killed may reset its end, which readline reports too; `close` follows either way.
  output.on('error', () => undefined);
  lines.on('error', () => undefined);
  lines.on('line', (line) => {
    tail.push(line);
    if (tail.length > tailLines) tail.shift();
    const [, bootId, hostKey] = readyLine.exec(line) ?? [];
    if (bootId === undefined || hostKey === undefined) return;
    const boot = { bootId, hostKey };
    boots.push(boot);
    const served = waiters.filter((waiter) => waiter.index < boots.length);
    waiters = waiters.filter((waiter) => !served.includes(waiter));
    for (const waiter of served) waiter.resolve(boots[waiter.index] ?? boot);
  });
  lines.on('close', () => {
    ended = true;
    for (const waiter of waiters) waiter.reject(failure('it ended before that boot was complete'));
    waiters = [];
  });

  const wait = (index: number, timeoutMs: number) =>
    new Promise<Boot>((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(failure(`boot ${index} was not complete within ${timeoutMs / 1000} s`));
      }, timeoutMs);
      const settle =
        <T>(then: (value: T) => void) =>
        (value: T) => {
          clearTimeout(timer);
          then(value);
        };
      waiters.push({ index, resolve: settle(resolve), reject: settle(reject) });
    });

  return {
    boots,
    async boot(index, timeoutMs) {
      const done = boots[index];
      if (done !== undefined) return done;
      if (ended) throw failure('it has ended');
      return wait(index, timeoutMs);
    },
  };
}
