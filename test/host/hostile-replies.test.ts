import { describe, expect, it } from 'vitest';
import { HostError } from '../../src/host/errors.ts';
import { decodeReply, type Verb } from '../../src/host/wire.ts';

const NONCE = '0123abcd';
const framed = (...fields: string[]) =>
  Buffer.from([`vfleet-begin ${NONCE}`, ...fields, 'vfleet-end', NONCE, ''].join('\0'));

function errorOf(verb: Verb, stdout: Buffer, stderr = '', code = 0): HostError {
  try {
    decodeReply(verb, NONCE, { stdout, stderr: Buffer.from(stderr), code }, 'h');
  } catch (error) {
    if (error instanceof HostError) return error;
  }
  throw new Error('expected a HostError');
}

describe('a reply of a host that wants to exhaust its caller', () => {
  it('is garbage when it has more fields than any machine', () => {
    const names = Buffer.from('b\0a\0'.repeat(200_000));
    const mark = framed().subarray(0, `vfleet-begin ${NONCE}\0`.length);
    const stdout = Buffer.concat([mark, Buffer.from('list\0/x\0'), names]);
    expect(errorOf('read', stdout).code).toBe('host.garbage');
    expect(errorOf('write', stdout).code).toBe('host.outcome-unknown');
  });

  it('gives a short sentence whatever the host says', () => {
    const error = errorOf('write', framed('refused', 'lease-lost', `id=${'x'.repeat(8_000_000)}`));
    expect(error.code).toBe('host.lease-lost');
    expect(error.message.length).toBeLessThanOrEqual(1000);
    expect(error.message).toMatch(/^h: the lease on the host is not this rollout's/);
  });

  it('is told from a refusing sudo in time, however often it names sudo', () => {
    const began = performance.now();
    const error = errorOf('read', Buffer.alloc(0), 'sudo: '.repeat(10_000), 1);
    expect(error.code).toBe('host.garbage');
    expect(performance.now() - began).toBeLessThan(200);
  });

  it('cannot name a path that becomes part of an object’s prototype', () => {
    const { files, dirs } = decodeReply(
      'read',
      NONCE,
      {
        stdout: framed('line', '__proto__', 'x', 'list', '__proto__', 'y', ''),
        stderr: Buffer.alloc(0),
        code: 0,
      },
      'h',
    );
    expect(files.get('__proto__')?.toString()).toBe('x');
    expect(dirs.get('__proto__')).toEqual(['y']);
  });
});
