import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lookAtHost } from '../../src/cli/look-at-host.ts';
import { connectionOf, hostNamed } from '../../src/cli/inputs.ts';
import type { HostConnection } from '../../src/domain/host-entry.ts';
import { startFleet, type Fleet } from '../../src/simulator/fleet.ts';

const log = pino({ level: 'silent' });
let folder: string;
let fleet: Fleet;
let connection: HostConnection;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vfleet-look-'));
  fleet = await startFleet({ hosts: 1, parentFolder: folder });
  connection = connectionOf(await hostNamed(fleet.inventoryFile, 'hv01'));
});
afterAll(async () => {
  await fleet.stop();
  await rm(folder, { recursive: true });
});

/** A server that takes connections and never says a word. */
async function silentServer(): Promise<{ readonly port: number; readonly stop: () => void }> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => sockets.add(socket));
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  return {
    port: (server.address() as AddressInfo).port,
    stop: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

describe('a look at a host', () => {
  it('sees its boot, its line, its guests and whether a trial is armed, and writes nothing', async () => {
    const look = await lookAtHost(connection, log);
    if (look.kind !== 'answers') throw new Error(look.sentence);
    expect(look.bootId).toMatch(/^[0-9a-f-]{36}$/);
    expect(look.guests).toEqual([]);
    expect(look.runningArgs.length).toBeGreaterThan(0);
    expect(look.bootLoader.supported && look.bootLoader.nextEntry).toBeUndefined();
    expect(look.lease).toBeUndefined();
    expect(fleet.host('hv01').tree.text('/var/lib/vfleet/fence')).toBeUndefined();
  });

  it('says that nobody listens there', async () => {
    const { port, stop } = await silentServer();
    stop();
    const look = await lookAtHost({ ...connection, port, address: '127.0.0.1' }, log);
    expect(look).toMatchObject({ kind: 'away', code: 'ssh.refused' });
  });

  it('does not wait longer than 3 s for one that says nothing', async () => {
    const { port, stop } = await silentServer();
    const began = performance.now();
    const look = await lookAtHost({ ...connection, port, address: '127.0.0.1' }, log);
    expect(look).toMatchObject({ kind: 'away', code: 'ssh.timeout' });
    expect(performance.now() - began).toBeLessThan(4_000);
    stop();
  });

  it('does not blame the host for a key that is not on this machine', async () => {
    const look = await lookAtHost({ ...connection, identityFile: join(folder, 'none') }, log);
    expect(look.kind).toBe('not-asked');
    expect(look).toHaveProperty('sentence', expect.stringContaining('none'));
  });
});
