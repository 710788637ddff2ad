import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import {
  METADATA_ENCODING_KEY,
  type Payload,
  type PayloadCodec,
  ValueError,
} from '@temporalio/common';
import { decode as utf8, encode as bytes } from '@temporalio/common/lib/encoding.js';
import proto from '@temporalio/proto';

const zip = promisify(gzip);
const unzip = promisify(gunzip);

/** What the metadata key `encoding` of a compressed payload says. */
export const GZIP_ENCODING = 'binary/vfleet-gzip';
/** Payloads up to this size stay as they are: gzip gains nothing and people can read them in any tool. */
export const COMPRESS_ABOVE_BYTES = 1024;
/** Most that a payload may grow to when unzipped; the server's own limit for one payload is 2 MB zipped. */
export const UNZIPPED_MAX_BYTES = 16 * 1024 * 1024;

/**
 * Compresses payloads above 1 KiB. Each payload says by its metadata whether it is compressed, so old and foreign ones
 * are read as they are, and an encrypting codec can be put after this one.
 * `encode` throws `ValueError` for a payload over 16 MiB, `decode` for one that is damaged or unzips to more.
 */
export class CompressingCodec implements PayloadCodec {
  async encode(payloads: Payload[]): Promise<Payload[]> {
    return Promise.all(payloads.map(compress));
  }

  async decode(payloads: Payload[]): Promise<Payload[]> {
    return Promise.all(payloads.map(decompress));
  }
}

async function compress(payload: Payload): Promise<Payload> {
  const size = payload.data?.length ?? 0;
  if (size <= COMPRESS_ABOVE_BYTES || isCompressed(payload)) return payload;
  // The whole payload goes in, since its own metadata says how to read its data.
  const whole = proto.temporal.api.common.v1.Payload.encode(payload).finish();
  if (whole.length > UNZIPPED_MAX_BYTES)
    throw new ValueError(`a payload of ${whole.length} bytes is over ${UNZIPPED_MAX_BYTES}`);
  const data = await zip(whole);
  // Random bytes grow: keep what is smaller.
  if (data.length >= size) return payload;
  return { metadata: { [METADATA_ENCODING_KEY]: bytes(GZIP_ENCODING) }, data: plain(data) };
}

async function decompress(payload: Payload): Promise<Payload> {
  if (!isCompressed(payload)) return payload;
  try {
    const whole = await unzip(payload.data ?? new Uint8Array(), {
      maxOutputLength: UNZIPPED_MAX_BYTES,
    });
    const { metadata, data } = proto.temporal.api.common.v1.Payload.decode(whole);
    return { metadata, data: plain(data) };
  } catch (error) {
    throw new ValueError(
      `a payload marked ${GZIP_ENCODING} is damaged or unzips to more than ${UNZIPPED_MAX_BYTES} bytes`,
      error,
    );
  }
}

function isCompressed(payload: Payload): boolean {
  const encoding = payload.metadata?.[METADATA_ENCODING_KEY];
  return encoding instanceof Uint8Array && utf8(encoding) === GZIP_ENCODING;
}

/** A plain Uint8Array over the same memory: a Buffer does not pass as one everywhere in the SDK's sandbox. */
function plain(data: Uint8Array): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
