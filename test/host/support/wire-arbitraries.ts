import fc from 'fast-check';
import { QUERY_NAMES } from '../../../src/facts/snapshot.ts';
import { sha256, type Answers, type Requests, type Verb } from '../../../src/host/wire.ts';

const text = fc.string({ unit: 'grapheme' }).map((it) => it.replaceAll(/[\n\0]/g, '_'));
const bytes = fc.uint8Array({ maxLength: 300 });
const digest = bytes.map(sha256);
const deadlineMs = fc.integer({ min: 1, max: 3600 }).map((it) => it * 1000);
const absolute = text.map((it) => `/${it.replaceAll('\\', '_')}`);
const guard = fc.record(
  {
    lease: fc.stringMatching(/^[a-z0-9#/._-]{2,40}$/),
    seq: fc.nat(),
    attempt: fc.nat(),
    bootId: fc.uuid(),
  },
  { requiredKeys: ['lease', 'seq', 'attempt'] },
);
const ownPath = fc.stringMatching(/^[a-z]{1,12}\.json$/).map((it) => `/var/lib/vfleet/${it}`);
const fileWrite = fc.record(
  {
    path: fc.oneof(ownPath, fc.constant('/etc/default/grub.d/zz-vfleet.cfg')),
    expect: fc.option(digest),
    content: fc.option(bytes.map((it) => Buffer.from(it))),
    mode: fc.integer({ min: 0, max: 0o7777 }),
    removeEmptyParent: fc.constant(true),
  },
  { requiredKeys: ['path', 'expect', 'content', 'mode'] },
);

/** Any request of each verb that the wire can carry. */
export const requests: { readonly [V in Verb]: fc.Arbitrary<Requests[V]> } = {
  read: fc.record({
    entries: fc.array(
      fc.oneof(
        fc.record({ kind: fc.constantFrom('file', 'line', 'list', 'link'), glob: absolute }),
        fc.record({ kind: fc.constant('query' as const), query: fc.constantFrom(...QUERY_NAMES) }),
      ),
    ),
    deadlineMs,
  }),
  write: fc.record({ guard, files: fc.array(fileWrite, { minLength: 1 }), deadlineMs }),
  poke: fc.record({
    guard,
    writes: fc.array(
      fc.record({
        path: fc.constantFrom(
          ...['/sys/bus/pci/drivers_probe', '/sys/bus/pci/devices/0000:03:00.0/driver/unbind'],
        ),
        value: text,
        timeoutMs: fc.integer({ min: 1, max: 100_000 }),
      }),
    ),
    deadlineMs,
  }),
  run: fc.record(
    { guard, argv: fc.tuple(fc.constantFrom('systemctl', '/bin/x y'), text, text), deadlineMs },
    { requiredKeys: ['argv', 'deadlineMs'] },
  ),
};

const field = text.filter((it) => it !== '');
const map = <K, V>(key: fc.Arbitrary<K>, value: fc.Arbitrary<V>): fc.Arbitrary<Map<K, V>> =>
  fc.array(fc.tuple(key, value)).map((it) => new Map(it));
const buffer = bytes.map((it) => Buffer.from(it));
/** Any answer of each verb. */
export const answers: { readonly [V in Verb]: fc.Arbitrary<Answers[V]> } = {
  read: fc.record({
    files: map(absolute, buffer),
    links: map(absolute, field),
    dirs: map(
      absolute,
      fc.uniqueArray(field).map((it) => it.sort()),
    ),
    queries: map(fc.constantFrom(...QUERY_NAMES), fc.record({ code: fc.nat(255), output: text })),
  }),
  write: fc.array(
    fc.oneof(
      fc.record({
        path: absolute,
        kind: fc.constantFrom('written' as const, 'unchanged' as const),
      }),
      fc.record({
        path: absolute,
        kind: fc.constant('conflict' as const),
        digest: fc.option(digest),
        content: buffer,
      }),
      fc.record({
        path: absolute,
        kind: fc.constant('failed' as const),
        reason: fc.constantFrom(
          'no-space' as const,
          'read-only' as const,
          'denied' as const,
          'other' as const,
        ),
        message: text,
      }),
    ),
  ),
  poke: fc.array(
    fc.oneof(
      fc.record({ path: absolute, kind: fc.constantFrom('done' as const, 'hung' as const) }),
      fc.record({
        path: absolute,
        kind: fc.constant('failed' as const),
        message: text.map((it) => it.trim()),
      }),
    ),
  ),
  run: fc.record({
    kind: fc.constantFrom('exited' as const, 'timed-out' as const, 'not-found' as const),
    code: fc.nat(255),
    stdout: fc.string({ unit: 'grapheme' }),
    stderr: fc.string({ unit: 'grapheme' }),
  }),
};
