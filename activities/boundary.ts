import { Context, heartbeat } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { Logger } from 'pino';
import { OUTCOME_TEXT_MAX, shortOutcome, shortText } from '../src/domain/short-text.ts';
import { HostError } from '../src/host/errors.ts';

/** How often an activity tells the engine that its worker lives; well under the proxies' heartbeat timeout. */
const HEARTBEAT_MS = 5_000;

/** A poll that found nothing yet: not an error to log, and the only failure that is expected to repeat. */
export class NotYet extends Error {
  override readonly name = 'NotYet';
  readonly code: string;

  constructor(code: string, sentence: string) {
    super(sentence);
    this.code = code;
  }
}

type Handler<I, O> = (input: I) => Promise<O>;

/**
 * The one place where errors become ApplicationFailures: `type` is the stable code, and only what may pass by
 * itself is retryable; and the one where what a host said is cut to what the engine can keep. An error that is neither a HostError nor NotYet is a bug: not retried, type `vfleet.bug`.
 */
export function bounded<I, O>(log: Logger, name: string, handler: Handler<I, O>): Handler<I, O> {
  return async (input) => {
    const beat = setInterval(() => {
      heartbeat();
    }, HEARTBEAT_MS);
    try {
      return shortOutcome(await handler(input));
    } catch (error) {
      throw toFailure(log, name, error);
    } finally {
      clearInterval(beat);
    }
  };
}

/** The attempt of the activity that runs now, from 1: the last part of the fencing token. */
export function currentAttempt(): number {
  return Context.current().info.attempt;
}

function toFailure(log: Logger, name: string, error: unknown): unknown {
  if (error instanceof NotYet) {
    return ApplicationFailure.create({ type: error.code, message: error.message });
  }
  if (error instanceof HostError) {
    log.info({ activity: name, host: error.host, code: error.code }, error.message);
    return ApplicationFailure.create({
      type: error.code,
      message: error.message,
      nonRetryable: !error.transient,
      cause: error,
    });
  }
  if (error instanceof ApplicationFailure) return error;
  log.error({ activity: name, err: error }, 'unexpected error in an activity');
  return ApplicationFailure.create({
    type: 'vfleet.bug',
    message: shortText(error instanceof Error ? error.message : String(error), OUTCOME_TEXT_MAX),
    nonRetryable: true,
  });
}
