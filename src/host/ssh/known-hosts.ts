import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** One usable line of a known_hosts file (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT). */
export interface KnownHost {
  readonly marker: 'none' | 'revoked' | 'cert-authority';
  /** The first field: patterns with commas between, or one hashed name (`|1|salt|hash`). */
  readonly names: string;
  readonly keyType: string;
  /** The public key as SSH sends it. */
  readonly key: Buffer;
  /** Where it stands, for messages: `file:line`. */
  readonly where: string;
}

/**
 * What known_hosts says of a key that a host showed.
 * - `unknown`: no key of this type is listed for the host; `others` are those listed under other types, and
 *   `authority` tells that a certificate authority is listed, which the SSH library cannot use
 * - `changed`: another key of this type is listed, at `where`
 * - `revoked`: the key is listed as revoked, which wins over everything
 */
export type HostKeyVerdict =
  | { readonly kind: 'known' }
  | { readonly kind: 'unknown'; readonly others: readonly string[]; readonly authority: boolean }
  | { readonly kind: 'changed'; readonly where: string }
  | { readonly kind: 'revoked'; readonly where: string };

/** Parses one file. Lines that are not well-formed are skipped, as OpenSSH does. */
export function parseKnownHosts(text: string, file: string): KnownHost[] {
  return text.split('\n').flatMap((line, index) => parseLine(line, `${file}:${index + 1}`) ?? []);
}

function parseLine(line: string, where: string): KnownHost | undefined {
  const fields = line.trim().split(/[ \t]+/);
  let marker: KnownHost['marker'] = 'none';
  if (fields[0] === '@revoked' || fields[0] === '@cert-authority') {
    marker = fields[0] === '@revoked' ? 'revoked' : 'cert-authority';
    fields.shift();
  }
  const [names = '', keyType = '', base64 = ''] = fields;
  if (/^($|[#@])/.test(names) || !/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return undefined;
  const key = Buffer.from(base64, 'base64');
  if (keyTypeOf(key) !== keyType) return undefined;
  return { marker, names, keyType, key, where };
}

/** The type inside a public key as SSH sends it, e.g. `ssh-ed25519`; `''` when it is no key. */
export function keyTypeOf(key: Buffer): string {
  if (key.length < 4) return '';
  const length = key.readUInt32BE(0);
  return length > 64 || key.length < 4 + length ? '' : key.toString('latin1', 4, 4 + length);
}

/** The name that known_hosts uses for an address: `[address]:port` unless the port is 22. */
export function knownHostName(address: string, port: number): string {
  return port === 22 ? address.toLowerCase() : `[${address.toLowerCase()}]:${port}`;
}

/** Judges the key that a host showed; `name` as `knownHostName` gives it. */
export function judgeHostKey(
  entries: readonly KnownHost[],
  name: string,
  key: Buffer,
): HostKeyVerdict {
  const listed = entries.filter((entry) => matchesHost(entry.names, name));
  const same = listed.filter((entry) => entry.key.equals(key));
  const revoked = same.find((entry) => entry.marker === 'revoked');
  if (revoked !== undefined) return { kind: 'revoked', where: revoked.where };
  if (same.some((entry) => entry.marker === 'none')) return { kind: 'known' };
  const plain = listed.filter((entry) => entry.marker === 'none');
  const changed = plain.find((entry) => entry.keyType === keyTypeOf(key));
  if (changed !== undefined) return { kind: 'changed', where: changed.where };
  return {
    kind: 'unknown',
    others: [...new Set(plain.map((entry) => entry.keyType))],
    authority: listed.some((entry) => entry.marker === 'cert-authority'),
  };
}

/** The key types listed for a host, so that a host with several keys can be asked for one that is known. */
export function knownKeyTypes(entries: readonly KnownHost[], name: string): string[] {
  const plain = entries.filter((it) => it.marker === 'none' && matchesHost(it.names, name));
  return [...new Set(plain.map((it) => it.keyType))];
}

/** Whether a line's first field names this host: hashed, or patterns of which none that is negated may match. */
export function matchesHost(names: string, name: string): boolean {
  if (names.startsWith('|')) return matchesHashed(names, name);
  let found = false;
  for (const pattern of names.toLowerCase().split(',')) {
    const negated = pattern.startsWith('!');
    if (!matchesPattern(negated ? pattern.slice(1) : pattern, name)) continue;
    if (negated) return false;
    found = true;
  }
  return found;
}

/** `|1|<salt>|<HMAC-SHA1 of the name>`, both base64. */
function matchesHashed(names: string, name: string): boolean {
  const [, version, salt = '', hash = '', ...rest] = names.split('|');
  if (version !== '1' || rest.length > 0) return false;
  const expected = Buffer.from(hash, 'base64');
  const actual = createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest();
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}

/** `*` and `?` only: brackets stand for themselves, as in `[host]:port`. Linear in space, no regular expression. */
function matchesPattern(pattern: string, name: string): boolean {
  let [p, n, star, resume] = [0, 0, -1, 0];
  while (n < name.length) {
    if (pattern[p] === '*') {
      star = p;
      resume = n;
      p += 1;
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === name[n])) {
      p += 1;
      n += 1;
    } else if (star >= 0) {
      p = star + 1;
      resume += 1;
      n = resume;
    } else return false;
  }
  while (pattern[p] === '*') p += 1;
  return p === pattern.length;
}

/** As `ssh-keygen -l` prints it: `SHA256:` and base64 without padding. */
export function fingerprintOf(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}
