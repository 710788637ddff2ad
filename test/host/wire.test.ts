import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Snapshot } from '../../src/facts/snapshot.ts';
import { HostError, OutcomeUnknown } from '../../src/host/errors.ts';
import { SCRIPT_VERSION, scriptText } from '../../src/host/scripts/script-text.ts';
import {
  decodeCall,
  decodeReply,
  encodeCall,
  encodeReply,
  type Verb,
} from '../../src/host/wire.ts';
import { answers, requests } from './support/wire-arbitraries.ts';

const VERBS = ['read', 'write', 'poke', 'run'] as const;
const raw = (stdout: Buffer, code: number | null = 0, stderr = '') => ({
  stdout,
  code,
  stderr: Buffer.from(stderr),
});
const NONCE = '0123abcd';

describe('the wire', () => {
  it.each(VERBS)('gives the simulated fleet the %s request that was sent', (verb) => {
    fc.assert(
      fc.property(requests[verb], fc.boolean(), (request, become) => {
        const call = encodeCall(verb, request, { host: 'h', become });
        expect(decodeCall(call.command, call.stdin)).toEqual({
          verb,
          request,
          become,
          nonce: call.nonce,
        });
      }),
    );
  });

  it.each(VERBS)('gives the caller the %s answer that the host sent, behind any banner', (verb) => {
    fc.assert(
      fc.property(answers[verb], fc.uint8Array(), fc.uint8Array(), (answer, before, after) => {
        const reply = encodeReply(verb, NONCE, answer);
        const noisy = Buffer.concat([before, reply, after]);
        expect(decodeReply(verb, NONCE, raw(noisy), 'h')).toEqual(answer);
      }),
    );
  });

  it.each(VERBS)('never takes a part of a %s reply for the whole', (verb) => {
    fc.assert(
      fc.property(
        answers[verb],
        fc.double({ min: 0, max: 0.9999, noNaN: true }),
        (answer, part) => {
          const reply = encodeReply(verb, NONCE, answer);
          const cut = reply.subarray(0, Math.floor(reply.length * part));
          const code = verb === 'read' ? 'ssh.closed' : 'host.outcome-unknown';
          expect(() => decodeReply(verb, NONCE, raw(cut, null), 'h')).toThrow(
            expect.objectContaining({ code }),
          );
        },
      ),
    );
  });

  it('varies nothing in the command but the digits of the deadline', () => {
    const request = (deadline: number) =>
      encodeCall(
        'run',
        { argv: ['x', '$(reboot)'], deadlineMs: deadline },
        { host: 'h', become: true },
      );
    const [one, two] = [request(1000).command, request(60_000).command];
    expect(one).not.toEqual(two);
    expect(one.replaceAll(/timeout -k 5 \d+ /g, '')).toEqual(
      two.replaceAll(/timeout -k 5 \d+ /g, ''),
    );
    expect(one).not.toContain('reboot');
    expect(one).toMatch(/^exec sudo -n -- timeout -k 5 9 \/bin\/sh -c '/);
    expect(one.endsWith(`' vfleet-run-${SCRIPT_VERSION} "$SSH_CONNECTION"`)).toBe(true);
  });

  // Hardened hosts allow the scripts by their text and name: whoever changes a script raises SCRIPT_VERSION too.
  it('gives scripts that changed a new version', () => {
    const digest = createHash('sha256').update(VERBS.map(scriptText).join('')).digest('hex');
    expect({ version: SCRIPT_VERSION, digest }).toEqual({
      version: 4,
      digest: '3546d0e1e6ade45ee8b7bfcde8b07c7ac10bb3feafcaa79dd7bb6ab3e6f139ed',
    });
  });

  it('knows no command that differs in a single character', () => {
    const { command, stdin } = encodeCall(
      'read',
      { entries: [], deadlineMs: 1000 },
      { host: 'h', become: false },
    );
    fc.assert(
      fc.property(fc.nat(command.length - 1), (at) => {
        const other = command.slice(0, at) + '\u0001' + command.slice(at + 1);
        expect(decodeCall(other, stdin)).toBeUndefined();
      }),
    );
    expect(decodeCall(command, stdin.subarray(0, -4))).toBeUndefined();
  });

  it.each([
    '/etc/passwd',
    '/etc/default/grub.bak',
    '/boot/loader/entries/../x.conf',
    '/boot/grub2/grub.cfg',
    '/var/lib/vfleet/../x',
    '/var/lib/vfleet/a/b',
    '/var/lib/vfleet/lock',
    '/var/lib/vfleet/fence',
    '/var/lib/vfleet/.x',
  ])('refuses to send a write to %s', (path) => {
    const write = {
      guard: { lease: 'l1', seq: 1, attempt: 1 },
      files: [{ path, expect: null, content: Buffer.from('x') }],
      deadlineMs: 1000,
    };
    expect(() => encodeCall('write', write, { host: 'h', become: true })).toThrow(HostError);
  });

  it('writes nothing but the lease without a guard', () => {
    const write = (path: string) =>
      encodeCall(
        'write',
        { files: [{ path, expect: null, content: Buffer.from('x') }], deadlineMs: 1000 },
        { host: 'h', become: true },
      );
    expect(() => write('/var/lib/vfleet/record.json')).toThrow(/not on the list/);
    expect(write('/var/lib/vfleet/lease').stdin.toString()).toContain('/var/lib/vfleet/lease\n');
  });

  it.each(['/sys/bus/pci/rescan', '/sys/x/../../etc/x', '/proc/1/mem', '/sys/d/reset'])(
    'refuses to poke %s',
    (path) => {
      const guarded = { lease: 'l1', seq: 1, attempt: 1 };
      const poke = {
        guard: guarded,
        writes: [{ path, value: '1', timeoutMs: 1 }],
        deadlineMs: 1000,
      };
      expect(() => encodeCall('poke', poke, { host: 'h', become: true })).toThrow(HostError);
    },
  );

  it.each([
    'lease-lost',
    'fenced',
    'other-boot',
    'lock-busy',
    'record-failed',
    'path-refused',
  ] as const)('throws the host error of a refusal: %s', (refused) => {
    const reply = encodeReply('write', NONCE, { refused, detail: '3 1' });
    expect(() => decodeReply('write', NONCE, raw(reply), 'h')).toThrow(
      expect.objectContaining({ code: `host.${refused}` }),
    );
  });

  it('tells no sudo, garbage, a time limit and an unknown outcome apart', () => {
    const decode = (verb: Verb, reply: ReturnType<typeof raw>): string => {
      try {
        decodeReply(verb, NONCE, reply, 'h');
      } catch (error) {
        if (error instanceof HostError) return error.code;
        throw error;
      }
      return 'an answer';
    };
    const empty = Buffer.alloc(0);
    expect(decode('write', raw(empty, 1, 'sudo: a password is required\n'))).toBe('host.no-sudo');
    expect(decode('read', raw(empty, 1, 'bob is not in the sudoers file.'))).toBe('host.no-sudo');
    expect(decode('run', raw(Buffer.from('This account is not available'), 1))).toBe(
      'host.garbage',
    );
    expect(decode('write', raw(Buffer.from('\u0000\u0007<html>'), 0))).toBe('host.garbage');
    expect(decode('read', raw(empty, 124))).toBe('ssh.timeout');
    expect(decode('poke', raw(empty, 124))).toBe('host.outcome-unknown');
    const begun = Buffer.from(`vfleet-begin ${NONCE}\0`);
    expect(decode('write', raw(begun, 0))).toBe('host.outcome-unknown');
    expect(decode('read', raw(begun, 0))).toBe('host.garbage');
    expect(decode('read', raw(begun, null))).toBe('ssh.closed');
  });

  it('shows printable, short garbage in its sentence', () => {
    const junk = Buffer.from('\u001b[31mboo\u0000'.repeat(500));
    expect(() => decodeReply('read', NONCE, raw(junk), 'web-1')).toThrow(
      /^web-1: [\x20-\x7e]{1,320}$/,
    );
  });

  it('does not lose an unknown outcome to instanceof', () => {
    expect(() => decodeReply('run', NONCE, raw(Buffer.alloc(0), null), 'h')).toThrow(
      OutcomeUnknown,
    );
  });

  it('drops the rest of a character that the cut at the front left', () => {
    const long = 'ä'.repeat(20_000) + 'x';
    const reply = encodeReply('run', NONCE, { kind: 'exited', code: 0, stdout: long, stderr: '' });
    const { stdout } = decodeReply('run', NONCE, raw(reply), 'h');
    expect(stdout).toMatch(/^ä+x$/);
    expect(Buffer.byteLength(stdout)).toBeLessThanOrEqual(16 * 1024);
  });

  it('refuses a file that is larger than a read may return', () => {
    const snapshot: Snapshot = {
      files: new Map([['/big', Buffer.alloc(1024 * 1024 + 1)]]),
      links: new Map(),
      dirs: new Map(),
      queries: new Map(),
    };
    expect(() =>
      decodeReply('read', NONCE, raw(encodeReply('read', NONCE, snapshot)), 'h'),
    ).toThrow(expect.objectContaining({ code: 'host.output-too-large' }));
  });
});
