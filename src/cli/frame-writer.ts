/** The terminal a picture is drawn on: what `process.stdout` is, and what a test gives. */
export interface FrameStream {
  readonly write: (text: string) => unknown;
  readonly columns: number;
  readonly rows: number;
}

/** A picture of lines that is redrawn in place. */
export interface FrameWriter {
  /** Shows these lines instead of the last ones; they must fit: none wider than the terminal, fewer than its rows. */
  readonly show: (lines: readonly string[]) => void;
  /** Text that stays, above the picture. */
  readonly say: (text: string) => void;
  /** Leaves the last picture standing and gives the cursor back. Safe twice. */
  readonly close: () => void;
}

/** Escape sequences of ECMA-48 (up, down, erase to the end of line or screen) and of DEC and xterm private modes. */
const up = (lines: number): string => (lines > 0 ? `\u001b[${lines}A` : '');
const down = (lines: number): string => (lines > 0 ? `\u001b[${lines}B` : '');
const ERASE_LINE_END = '\u001b[K';
const ERASE_BELOW = '\u001b[J';
const CLEAR = '\u001b[2J\u001b[H';
const HIDE_CURSOR = '\u001b[?25l';
export const SHOW_CURSOR = '\u001b[?25h';
/** A terminal that knows it shows all that stands between at once; others ignore it. */
const TOGETHER = ['\u001b[?2026h', '\u001b[?2026l'] as const;

/**
 * Redraws by one write a picture, and in it only the lines that are different. After a change of size the screen is
 * cleared: terminals differ in how they break the lines that stand there, so nothing else is sure to leave no rest. Not
 * log-update: that writes every line again when the first one has changed, which here it does each second, and leaves
 * rests when the terminal becomes narrower.
 */
export function createFrameWriter(stream: FrameStream): FrameWriter {
  let shown: readonly string[] = [];
  let size = '';
  let hidden = false;
  const write = (text: string): void => {
    if (text !== '') stream.write(TOGETHER[0] + text + TOGETHER[1]);
  };
  const draw = (lines: readonly string[], before: string): void => {
    const now = `${stream.columns}x${stream.rows}`;
    const resized = size !== '' && size !== now && shown.length > 0;
    const change = resized ? CLEAR + linesFrom([], lines) : linesFrom(shown, lines);
    write(`${hidden ? '' : HIDE_CURSOR}${before}${change}`);
    [shown, size, hidden] = [lines, now, true];
  };
  return {
    show: (lines) => {
      draw(lines, '');
    },
    say: (text) => {
      const lines = shown;
      shown = [];
      draw(lines, `${up(lines.length)}${ERASE_BELOW}${text.replaceAll('\n', '\r\n')}\r\n`);
    },
    close: () => {
      if (hidden) stream.write(SHOW_CURSOR);
      [shown, hidden] = [[], false];
    },
  };
}

/** From below one picture to below the other, over the lines that stay; the cursor is in the first column at both ends. */
function linesFrom(before: readonly string[], after: readonly string[]): string {
  const same = (at: number): boolean => at < before.length && before[at] === after[at];
  if (before.length === after.length && after.every((_, at) => same(at))) return '';
  let text = up(before.length);
  let kept = 0;
  for (const [at, line] of after.entries()) {
    if (same(at)) {
      kept += 1;
      continue;
    }
    text += `${down(kept)}${line}${ERASE_LINE_END}\r\n`;
    kept = 0;
  }
  text += down(kept);
  return after.length < before.length ? text + ERASE_BELOW : text;
}
