import { execFileSync, spawnSync } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import ssh2 from 'ssh2';
import { afterAll, describe, expect, it } from 'vitest';
import {
  fingerprintOf,
  judgeHostKey,
  keyTypeOf,
  knownHostName,
  matchesHost,
  parseKnownHosts,
} from '../../src/host/ssh/known-hosts.ts';
import { newKey } from '../../src/simulator/new-key.ts';

const KEYS = Array.from({ length: 3 }, () =>
  newKey('test').public.split(' ').slice(0, 2).join(' '),
);
const RSA = ssh2.utils.generateKeyPairSync('rsa', { bits: 2048 }).public.split(' ');
const blob = (line: string): Buffer => Buffer.from(line.split(' ')[1] ?? '', 'base64');
const [ONE = '', TWO = '', THREE = ''] = KEYS;

const folder = mkdtempSync(join(tmpdir(), 'vfleet-known-'));
afterAll(() => rmSync(folder, { recursive: true }));

const hashed = (name: string): string => {
  const salt = randomBytes(20);
  const hash = createHmac('sha1', salt).update(name).digest('base64');
  return `|1|${salt.toString('base64')}|${hash}`;
};

/** What OpenSSH itself finds: the line numbers that match, with their marker. */
function oracle(text: string, name: string): string[] {
  const file = join(folder, 'oracle');
  writeFileSync(file, text);
  const { stdout } = spawnSync('ssh-keygen', ['-F', name, '-f', file], { encoding: 'utf8' });
  return [...stdout.matchAll(/^# Host .* found: line (\d+)(.*)$/gm)].map(
    ([, line, marker]) =>
      `${line ?? ''}${(marker ?? '').trim() === '' ? '' : ` ${(marker ?? '').trim()}`}`,
  );
}

function ours(text: string, name: string): string[] {
  const words = { none: '', revoked: ' REVOKED', 'cert-authority': ' CA' };
  return parseKnownHosts(text, 'f')
    .filter((entry) => matchesHost(entry.names, name))
    .map((entry) => `${entry.where.slice(2)}${words[entry.marker]}`);
}

const label = fc.constantFrom('a', 'kvm-1', 'kvm-10', '10');
const hostName = fc
  .tuple(label, fc.constantFrom('', '.0.1'), fc.constantFrom(22, 22, 2222))
  .map(([first, rest, port]) => knownHostName(first + rest, port));
const pattern = fc
  .tuple(
    fc.constantFrom('', '', '', '!'),
    fc.oneof(
      hostName,
      hostName.map((it) => it.toUpperCase()),
      fc
        .array(fc.constantFrom('*', '?', 'a', 'kvm-', '1', '.', '[', ']:2222', '**'), {
          minLength: 1,
        })
        .map((it) => it.join('')),
    ),
  )
  .map((it) => it.join(''));
const names = fc.oneof(
  fc.array(pattern, { minLength: 1, maxLength: 4 }).map((it) => it.join(',')),
  hostName.map(hashed),
);
const knownLine = fc
  .tuple(
    fc.constantFrom('', '', '', '@revoked ', '@cert-authority '),
    names,
    fc.constantFrom(...KEYS, RSA.slice(0, 2).join(' ')),
    fc.constantFrom('', ' a comment', ' # hash'),
  )
  .map(([marker, name, key, comment]) => `${marker}${name} ${key}${comment}`);
const otherLine = fc.constantFrom('', '# comment', '   ', 'junk', 'a ssh-ed25519', `#a ${ONE}`);
const file = fc
  .array(fc.oneof({ weight: 5, arbitrary: knownLine }, otherLine), { maxLength: 6 })
  .map((it) => it.map((line) => `${line}\n`).join(''));

describe('known_hosts', () => {
  it('finds the lines that OpenSSH finds: plain, hashed, patterns, negated, marked, ports', () => {
    let found = 0;
    fc.assert(
      fc.property(file, hostName, (text, name) => {
        const expected = oracle(text, name);
        found += expected.length;
        expect(ours(text, name)).toEqual(expected);
      }),
      { numRuns: 300 },
    );
    // The property is worth something only when lines are found at all.
    expect(found).toBeGreaterThan(50);
  });

  it('reads a file that ssh-keygen hashed', () => {
    const path = join(folder, 'hashed');
    writeFileSync(path, `kvm-1,10.0.0.1 ${ONE}\n[kvm-1]:2222 ${TWO}\n`);
    execFileSync('ssh-keygen', ['-H', '-f', path], { stdio: 'ignore' });
    const entries = parseKnownHosts(execFileSync('cat', [path], { encoding: 'utf8' }), path);
    expect(entries.every((it) => it.names.startsWith('|1|'))).toBe(true);
    expect(judgeHostKey(entries, 'kvm-1', blob(ONE)).kind).toBe('known');
    expect(judgeHostKey(entries, '10.0.0.1', blob(ONE)).kind).toBe('known');
    expect(judgeHostKey(entries, '[kvm-1]:2222', blob(TWO)).kind).toBe('known');
    expect(judgeHostKey(entries, '[kvm-1]:2222', blob(ONE)).kind).toBe('changed');
  });

  it('gives the fingerprint that ssh-keygen gives', () => {
    const path = join(folder, 'key.pub');
    writeFileSync(path, `${ONE}\n`);
    const shown = execFileSync('ssh-keygen', ['-l', '-f', path], { encoding: 'utf8' });
    expect(shown).toContain(` ${fingerprintOf(blob(ONE))} `);
  });

  const judge = (key: string, ...lines: string[]): string =>
    judgeHostKey(parseKnownHosts(lines.join('\n'), 'f'), 'kvm-1', blob(key)).kind;

  it('lets a revoked key win, wherever it stands', () => {
    expect(judge(ONE, `kvm-1 ${ONE}`, `@revoked kvm-1 ${ONE}`)).toBe('revoked');
    expect(judge(ONE, `@revoked * ${ONE}`, `kvm-1 ${ONE}`)).toBe('revoked');
    expect(judge(ONE, `@revoked other ${ONE}`, `kvm-1 ${ONE}`)).toBe('known');
    expect(judge(TWO, `@revoked * ${ONE}`, `kvm-1 ${TWO}`)).toBe('known');
  });

  it('takes a key that is only revoked for revoked, another one for unknown', () => {
    expect(judge(ONE, `@revoked * ${ONE}`)).toBe('revoked');
    expect(judge(TWO, `@revoked * ${ONE}`)).toBe('unknown');
  });

  it('knows any of several keys, and tells a changed one from one of a new type', () => {
    expect(judge(TWO, `kvm-1 ${ONE}`, `kvm-* ${TWO}`)).toBe('known');
    expect(judge(THREE, `kvm-1 ${ONE}`, `kvm-* ${TWO}`)).toBe('changed');
    expect(judge(ONE, `kvm-1 ${RSA.slice(0, 2).join(' ')}`)).toBe('unknown');
  });

  it('never takes a certificate authority for a host key', () => {
    expect(judge(ONE, `@cert-authority kvm-1 ${ONE}`)).toBe('unknown');
  });

  it('skips lines whose key is not of the type that they name', () => {
    expect(judge(ONE, `kvm-1 ssh-rsa ${ONE.split(' ')[1] ?? ''}`)).toBe('unknown');
    expect(keyTypeOf(Buffer.from('zz'))).toBe('');
  });
});
