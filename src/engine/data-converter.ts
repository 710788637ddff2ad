import type { DataConverter } from '@temporalio/common';
import { CompressingCodec } from './compressing-codec.ts';

/**
 * The converter that every client, worker and test environment of vfleet must be given: JSON, compressed above 1 KiB.
 * 10,000 hosts are 2.3 MB of JSON, which the server refuses, and 67 KB compressed.
 */
export const dataConverter: DataConverter = { payloadCodecs: [new CompressingCodec()] };
