import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { defaultPayloadConverter, ValueError, type Payload } from '@temporalio/common';
import { decode as utf8, encode as bytes } from '@temporalio/common/lib/encoding.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  COMPRESS_ABOVE_BYTES,
  CompressingCodec,
  GZIP_ENCODING,
  UNZIPPED_MAX_BYTES,
} from '../../src/engine/compressing-codec.ts';

const codec = new CompressingCodec();
const encodingOf = (payload: Payload | undefined): string =>
  utf8(payload?.metadata?.['encoding'] ?? new Uint8Array());
const marked = (data: Uint8Array): Payload => ({
  metadata: { encoding: bytes(GZIP_ENCODING) },
  data,
});
const same = (left: Payload | undefined, right: Payload | undefined): boolean => {
  const metadata = (payload: Payload | undefined) =>
    Object.entries(payload?.metadata ?? {}).map(([key, value]) => [
      key,
      Buffer.from(value).toString('hex'),
    ]);
  return (
    Buffer.from(left?.data ?? []).equals(Buffer.from(right?.data ?? [])) &&
    JSON.stringify(metadata(left).sort()) === JSON.stringify(metadata(right).sort())
  );
};

describe('the compressing codec', () => {
  it('gives back any payload with its data and metadata', async () => {
    const payload = fc.record({
      metadata: fc.dictionary(fc.string({ maxLength: 20 }), fc.uint8Array({ maxLength: 40 })),
      data: fc.oneof(
        fc.uint8Array({ maxLength: 4_000 }),
        fc.string({ minLength: 1_000, maxLength: 4_000 }).map((text) => bytes(text)),
      ),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(payload, { maxLength: 4 }), async (payloads) => {
        const back = await codec.decode(await codec.encode(payloads));
        expect(back).toHaveLength(payloads.length);
        expect(back.every((one, index) => same(one, payloads[index]))).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it('gives back any JSON value through the payload converter', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (value) => {
        const payloads = [defaultPayloadConverter.toPayload(value)];
        const [back] = await codec.decode(await codec.encode(payloads));
        expect(JSON.stringify(defaultPayloadConverter.fromPayload(back!))).toBe(
          JSON.stringify(value),
        );
      }),
    );
  });

  it('makes 10,000 like host entries a hundredth of their size', async () => {
    const hosts = Array.from({ length: 10_000 }, (_, index) => ({
      name: `hv-${index}.example.net`,
      address: `10.0.${index >> 8}.${index & 255}`,
      labels: { rack: `r${index % 40}`, site: 'fra' },
      jump: 'bastion.example.net',
    }));
    const plain = defaultPayloadConverter.toPayload(hosts);
    const [small] = await codec.encode([plain]);
    expect(encodingOf(small)).toBe(GZIP_ENCODING);
    expect(small!.data!.length).toBeLessThan(plain.data!.length / 10);
  });

  it('leaves alone what is small, and what does not get smaller', async () => {
    const small = { metadata: {}, data: new Uint8Array(COMPRESS_ABOVE_BYTES) };
    const random = { metadata: {}, data: new Uint8Array(randomBytes(50_000)) };
    const encoded = await codec.encode([small, random]);
    expect(encoded[0]).toBe(small);
    expect(encoded[1]).toBe(random);
  });

  it('does not compress twice', async () => {
    const once = await codec.encode([{ metadata: {}, data: new Uint8Array(100_000_0) }]);
    expect(await codec.encode(once)).toEqual(once);
  });

  it('reads payloads of other converters as they are', async () => {
    const foreign = { metadata: { encoding: bytes('binary/encrypted') }, data: randomBytes(9_000) };
    expect(await codec.decode([foreign])).toEqual([foreign]);
  });

  it('refuses a payload that unzips to more than 16 MiB, and one that is damaged', async () => {
    const bomb = marked(gzipSync(new Uint8Array(UNZIPPED_MAX_BYTES + 1)));
    await expect(codec.decode([bomb])).rejects.toThrow(ValueError);
    const whole = gzipSync(randomBytes(5_000));
    await expect(codec.decode([marked(whole.subarray(0, 2_000))])).rejects.toThrow(/damaged/);
    await expect(codec.decode([marked(bytes('not gzip'))])).rejects.toThrow(/damaged/);
  });

  it('refuses to write what it would refuse to read', async () => {
    const huge = { metadata: {}, data: new Uint8Array(UNZIPPED_MAX_BYTES) };
    await expect(codec.encode([huge])).rejects.toThrow(ValueError);
  });
});
