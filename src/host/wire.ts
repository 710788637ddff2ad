/** The wire between vfleet and a host's shell: what is sent for each verb, and what comes back. */
export { encodeCall, sha256, type Call, type Requests } from './wire/call.ts';
export { decodeCall, decodeCommand, type DecodedCall } from './wire/decode-call.ts';
export { encodeReply, type Answers, type Refusal, type Reply } from './wire/reply.ts';
export { decodeReply } from './wire/decode-reply.ts';
export { type RawReply } from './wire/failures.ts';
export type { Verb } from './scripts/script-text.ts';
