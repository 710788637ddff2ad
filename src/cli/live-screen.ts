import { writeSync } from 'node:fs';
import type { RolloutStatus } from '../domain/status.ts';
import type { CommandContext } from './context.ts';
import { SHOW_CURSOR, createFrameWriter } from './frame-writer.ts';
import { eventsBetween } from './render/events.ts';
import { renderLive, type LiveView } from './render/live.ts';
import { clock } from './render/time.ts';
import { terminalText } from './terminal-text.ts';

/** Where a followed rollout is shown: redrawn in place on a terminal, else a line for each change. */
export interface Screen {
  readonly show: (status: RolloutStatus) => void;
  /** Nobody answers, and why; the next status ends it. Told again and again while it lasts. */
  readonly silent: (why: string) => void;
  /** Text that stays, above what is redrawn. */
  readonly say: (text: string) => void;
  /** Leaves the last picture standing and stops listening for resizes. Safe twice. */
  readonly close: () => void;
}

/** NDJSON under --json, a live view for a person, timestamped lines for a pipe. */
export function createScreen(context: CommandContext): Screen {
  if (context.json) return createJsonScreen(context);
  return context.interactive ? createLiveScreen(context) : createLineScreen(context);
}

/** Each whole, so that any line can be read alone; a line when something has changed beside the estimate. */
function createJsonScreen(context: CommandContext): Screen {
  let last = '';
  return {
    show: (status) => {
      const text = JSON.stringify({ ...status, estimate: undefined });
      if (text === last) return;
      last = text;
      context.data(status, { line: true });
    },
    silent: tellOnce(context.note),
    say: () => undefined,
    close: () => undefined,
  };
}

function createLineScreen(context: CommandContext): Screen {
  let before: RolloutStatus | undefined;
  let silence = tellOnce(context.note);
  const say = (text: string): void => {
    for (const line of text.split('\n')) context.print(`${clock(new Date())}  ${line}`);
  };
  return {
    show: (status) => {
      silence = tellOnce(context.note);
      eventsBetween(before, status, context.style).forEach(say);
      before = status;
    },
    silent: (why) => {
      silence(why);
    },
    say,
    close: () => undefined,
  };
}

/** Says a thing again only when it is another one. */
function tellOnce(tell: (text: string) => void): (text: string) => void {
  let last: string | undefined;
  return (text) => {
    if (text !== last) tell(text);
    last = text;
  };
}

/** How often the picture is redrawn by itself, so that ages go on, in milliseconds. */
const REDRAW_MS = 500;
/** Most lines of events kept. */
const EVENTS_MAX = 200;

function createLiveScreen(context: CommandContext): Screen {
  const writer = createFrameWriter(process.stdout);
  const events: string[] = [];
  let latest: RolloutStatus | undefined;
  let answeredAt = new Date();
  let silence: LiveView['silence'];
  const draw = (): void => {
    if (latest === undefined) return;
    const { columns: width, rows } = process.stdout;
    const view: LiveView = {
      ...{ status: latest, now: new Date(), events, width, rows },
      ...(silence === undefined ? {} : { silence }),
    };
    writer.show(terminalText(renderLive(view, context.style)).split('\n'));
  };
  const timer = setInterval(draw, REDRAW_MS);
  process.stdout.on('resize', draw);
  process.on('exit', giveCursorBack);
  return {
    show: (status) => {
      const at = context.style.faint(clock(new Date()));
      events.push(...eventsBetween(latest, status, context.style).map((line) => `${at}  ${line}`));
      events.splice(0, Math.max(0, events.length - EVENTS_MAX));
      [latest, answeredAt, silence] = [status, new Date(), undefined];
      draw();
    },
    silent: (why) => {
      silence = { why, since: answeredAt };
      if (latest === undefined) context.note(why);
      draw();
    },
    say: (text) => {
      writer.say(terminalText(text));
    },
    close: () => {
      clearInterval(timer);
      process.stdout.off('resize', draw);
      process.off('exit', giveCursorBack);
      writer.close();
    },
  };
}

/** Also when the process is ended by a second Ctrl-C or breaks down. */
function giveCursorBack(): void {
  try {
    writeSync(1, SHOW_CURSOR);
  } catch {
    // The terminal has gone; so has its cursor.
  }
}
