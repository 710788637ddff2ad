import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scriptText, VERBS, type Verb } from '../../src/host/scripts/script-text.ts';
import { encodeCall, sha256, type Call, type RawReply } from '../../src/host/wire.ts';
import { isPokablePath, isWritablePath } from '../../src/host/writable-paths.ts';
import { ATTRIBUTE, DROP_IN, guardOf, RECORD, takeLease } from './contract/contract-host.ts';
import { describeOnOpenSsh } from './support/openssh-bench.ts';
import type { OpenSshHost } from './support/openssh-host.ts';

const OPTIONS = { host: 'h', become: false };

/** Which of the paths a function of a script says yes to. */
function allowedBy(verb: Verb, name: string, paths: readonly string[]): boolean[] {
  const text = scriptText(verb);
  const start = text.indexOf(`${name}() {`);
  const body = text.slice(start, text.indexOf('\n}\n', start) + 3);
  const loop = `while IFS= read -r path; do if ${name} "$path"; then echo y; else echo n; fi; done`;
  const input = paths.map((path) => `${path}\n`).join('');
  const answers = execFileSync('/bin/sh', ['-c', `LC_ALL=C\n${body}${loop}`], { input });
  return String(answers)
    .trim()
    .split('\n')
    .map((it) => it === 'y');
}

const part = fc.constantFrom(
  ...['/etc', '/default', '/grub.d', '/zz-vfleet.cfg', '/42_vfleet_trial', '/var', '/lib'],
  ...['/etc/motd.d', '/50-vfleet', '/etc/motd.d/50-vfleet'],
  ...[
    '/vfleet',
    '/lease',
    '/record.json',
    '/lock',
    '/fence',
    '/before',
    '/..',
    '/.',
    '/',
    '/.x',
    '/a b',
  ],
  ...['/sys', '/proc', '/proc/sys', '/remove', '/reset', '/rescan', '/-x', '/ä', '*', '/UNDO.txt'],
  ...['/var/lib/vfleet', '/etc/default/grub.d', '/sys/bus/pci', '~', '/var/lib/vfleet/lease'],
);
const address = fc
  .array(
    fc.constantFrom('0000:03:00.0', '10000', ':e1:', '1f.7', '20.0', 'F', ':', '.', '/', '..'),
    {
      minLength: 1,
      maxLength: 3,
    },
  )
  .map((it) => it.join(''));
/** Paths of devices: each is near one that may be written, or is one. */
const devicePath = fc
  .tuple(
    fc.constantFrom(
      ...['/etc/udev/rules.d/70-vfleet-', '/etc/udev/rules.d/', '/etc/modprobe.d/vfleet.conf'],
      ...[
        '/etc/modules-load.d/vfleet.conf',
        '/etc/tmpfiles.d/vfleet.conf',
        '/sys/bus/pci/devices/',
      ],
      ...[
        '/sys/bus/pci/drivers_probe',
        '/sys/devices/system/node/node',
        '/sys/kernel/mm/hugepages',
      ],
    ),
    fc.oneof(fc.constant('0000:03:00.0'), fc.constantFrom('', '0', '12', '12345', 'x'), address),
    fc.constantFrom(
      ...['', '.rules', '.sh', '.conf', '/driver_override', '/driver/unbind', '/driver/bind'],
      ...['/sriov_numvfs', '/sriov_drivers_autoprobe', '/remove', '/reset', '/rescan', '/'],
      ...['/hugepages/hugepages-2048kB/nr_hugepages', '/hugepages-1048576kB/nr_hugepages'],
      ...['/hugepages/hugepages-4kB/nr_hugepages', '/hugepages/hugepages-2048kB/nr_overcommit'],
    ),
  )
  .map((it) => it.join(''));
const path = fc.oneof(
  fc.array(part, { minLength: 1, maxLength: 5 }).map((it) => it.join('')),
  devicePath,
);

describe('the scripts', () => {
  it('hold the same list of writable paths as the code', () => {
    const paths = fc.sample(path, 5000);
    expect(allowedBy('write', 'writable', paths)).toEqual(paths.map(isWritablePath));
    expect(paths.filter(isWritablePath).length).toBeGreaterThan(10);
  });

  it('hold the same rule for kernel files as the code', () => {
    const paths = fc.sample(path, 5000);
    expect(allowedBy('poke', 'pokable', paths)).toEqual(paths.map(isPokablePath));
    expect(paths.filter(isPokablePath).length).toBeGreaterThan(10);
  });

  it.each(VERBS)('are fixed text without anything to fill in: %s', (verb) => {
    const text = scriptText(verb);
    expect(text).not.toMatch(/\$\{?[A-Z_]*TODO|<%|\bundefined\b/);
    expect(() => execFileSync('/bin/sh', ['-n'], { input: text })).not.toThrow();
  });
});

/** Gives a call to the host's shell as it is, or tampered with, past everything that checks it on our side. */
async function give(
  host: OpenSshHost,
  call: Call,
  stdin: string | Buffer = call.stdin,
): Promise<RawReply> {
  const child = host.start(call.command);
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stdin.on('error', () => undefined);
  child.stdin.end(stdin);
  const [code] = (await once(child, 'close')) as [number | null];
  return { stdout: Buffer.concat(chunks), stderr: Buffer.alloc(0), code };
}

const writeOf = (content: string, before: string | null, seq = 1): Call =>
  encodeCall(
    'write',
    {
      guard: guardOf(seq),
      files: [
        {
          path: DROP_IN,
          expect: before === null ? null : sha256(Buffer.from(before)),
          content: Buffer.from(content),
        },
      ],
      deadlineMs: 20_000,
    },
    OPTIONS,
  );

describeOnOpenSsh('a script on a host', (bench) => {
  it('refuses a path that is not on the list, whoever asks', async () => {
    const host = await bench.host();
    await takeLease(host);
    await host.put('/etc/passwd', 'root');
    const call = writeOf('new', 'root');
    const tampered = call.stdin.toString().replace(DROP_IN, '/etc/passwd');
    expect(String((await give(host, call, tampered)).stdout)).toContain(
      'refused\0path-refused\0/etc/passwd\0',
    );
    expect(String(await host.get('/etc/passwd'))).toBe('root');
  });

  it('refuses a write without a lease to anything but the lease', async () => {
    const host = await bench.host();
    const call = writeOf('new', null);
    const tampered = call.stdin.toString().replace(guardOf(1).lease, '-');
    expect(String((await give(host, call, tampered)).stdout)).toContain('path-refused');
    expect(await host.get(DROP_IN)).toBeUndefined();
  });

  it('refuses to poke a file that is no kernel file, whoever asks', async () => {
    const host = await bench.host();
    await takeLease(host);
    await host.put('/etc/hostname', 'kvm\n');
    const writes = [{ path: ATTRIBUTE, value: '1', timeoutMs: 100 }];
    const call = encodeCall('poke', { guard: guardOf(1), writes, deadlineMs: 5000 }, OPTIONS);
    for (const path of ['/etc/hostname', '/sys/../etc/hostname', '/sys/devices/remove']) {
      const tampered = call.stdin.toString().replace(ATTRIBUTE, path);
      expect(String((await give(host, call, tampered)).stdout)).toContain('path-refused');
    }
    expect(String(await host.get('/etc/hostname'))).toBe('kvm\n');
  });

  it('changes nothing when its input ends early, wherever', async () => {
    const host = await bench.host();
    await takeLease(host);
    const call = writeOf('new', null);
    for (let length = 0; length < call.stdin.length; length += 17) {
      const { stdout } = await give(host, call, call.stdin.subarray(0, length));
      expect(stdout.includes('vfleet-end')).toBe(false);
    }
    expect(await host.get(DROP_IN)).toBeUndefined();
    expect(await host.names('/var/lib/vfleet')).toEqual(['lease']);
  });

  it('keeps the old file when the new content arrives damaged', async () => {
    const host = await bench.host();
    await takeLease(host);
    await host.put(DROP_IN, 'old');
    const call = writeOf('new', 'old');
    const good = Buffer.from('new').toString('base64');
    const tampered = call.stdin.toString().replace(good, Buffer.from('bad').toString('base64'));
    expect(String((await give(host, call, tampered)).stdout)).toContain('did not arrive whole');
    expect(String(await host.get(DROP_IN))).toBe('old');
    expect(await host.names('/etc/default/grub.d')).toEqual(['zz-vfleet.cfg']);
  });

  it('leaves the old or the new content when it is killed at any moment, and the next one tidies up', async () => {
    const host = await bench.host();
    await takeLease(host);
    await host.put(DROP_IN, 'old');
    for (let delayMs = 0; delayMs < 150; delayMs += 8) {
      const call = writeOf('new', 'old');
      // exec: the process that is killed is then the script itself, not a shell in front of it.
      const script = host.start(call.command.replace(/^exec timeout -k 5 \d+ /, 'exec '));
      const closed = once(script, 'close');
      script.stdin.on('error', () => undefined);
      script.stdin.end(call.stdin);
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      script.kill('SIGKILL');
      await closed;
      const content = String(await host.get(DROP_IN));
      expect(['old', 'new']).toContain(content);
      await give(host, writeOf('old', 'new'));
    }
    expect(String(await host.get(DROP_IN))).toBe('old');
    expect(await host.names('/etc/default/grub.d')).toEqual(['zz-vfleet.cfg']);
  });

  it('ends a stubborn program when its time is up, and gives the lock back', async () => {
    const host = await bench.host();
    await takeLease(host);
    await host.program('vt-stubborn', {});
    await host.put('/sys/ticks', '');
    await host.put(
      '/usr/local/bin/vt-stubborn',
      "#!/bin/sh\ntrap '' TERM\nwhile :; do echo x >>/sys/ticks; sleep 0.1; done\n",
    );
    const request = { guard: guardOf(1), argv: ['vt-stubborn'] as [string], deadlineMs: 1000 };
    expect(await host.port.run(request)).toMatchObject({ kind: 'timed-out' });
    const ticks = (await host.get('/sys/ticks'))!.length;
    expect(ticks).toBeGreaterThan(0);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect((await host.get('/sys/ticks'))!.length).toBe(ticks);
    const files = [{ path: RECORD, expect: null, content: Buffer.from('x') }];
    const next = await host.port.write({ guard: guardOf(2), files, deadlineMs: 4000 });
    expect(next).toEqual([{ path: RECORD, kind: 'written' }]);
  });
});
