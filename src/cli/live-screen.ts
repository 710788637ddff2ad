import { createLogUpdate } from 'log-update';
import type { RolloutStatus } from '../domain/status.ts';
import type { CommandContext } from './context.ts';
import { eventsBetween } from './render/events.ts';
import { renderLive } from './render/live.ts';
import { clock } from './render/time.ts';
import { terminalText } from './terminal-text.ts';

/** Where a followed rollout is shown: redrawn in place on a terminal, else a line for each change. */
export interface Screen {
  readonly show: (status: RolloutStatus) => void;
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

function createJsonScreen(context: CommandContext): Screen {
  let last = '';
  return {
    show: (status) => {
      const text = JSON.stringify(status);
      if (text === last) return;
      last = text;
      context.data(status, { line: true });
    },
    say: () => undefined,
    close: () => undefined,
  };
}

function createLineScreen(context: CommandContext): Screen {
  let before: RolloutStatus | undefined;
  const say = (text: string): void => {
    for (const line of text.split('\n')) context.print(`${clock(new Date())}  ${line}`);
  };
  return {
    show: (status) => {
      eventsBetween(before, status, context.style).forEach(say);
      before = status;
    },
    say,
    close: () => undefined,
  };
}

/** How often the picture is redrawn by itself, so that ages go on, in milliseconds. */
const REDRAW_MS = 500;

function createLiveScreen(context: CommandContext): Screen {
  const update = createLogUpdate(process.stdout);
  const events: string[] = [];
  let latest: RolloutStatus | undefined;
  const draw = (): void => {
    if (latest === undefined) return;
    const { columns: width, rows } = process.stdout;
    const view = { status: latest, now: new Date(), events, width, rows };
    update(terminalText(renderLive(view, context.style)));
  };
  const timer = setInterval(draw, REDRAW_MS);
  process.stdout.on('resize', draw);
  return {
    show: (status) => {
      const at = context.style.faint(clock(new Date()));
      events.push(...eventsBetween(latest, status, context.style).map((line) => `${at}  ${line}`));
      events.splice(0, Math.max(0, events.length - 200));
      latest = status;
      draw();
    },
    say: (text) => {
      update.clear();
      process.stdout.write(`${terminalText(text)}\n`);
      draw();
    },
    close: () => {
      clearInterval(timer);
      process.stdout.off('resize', draw);
      update.done();
    },
  };
}
