import xterm from '@xterm/headless';
import { beforeEach, describe, expect, it } from 'vitest';
import { createFrameWriter, type FrameWriter } from '../../src/cli/frame-writer.ts';

/** A real terminal emulator without a window: what a person would see is asserted, not the bytes alone. */
let terminal: InstanceType<typeof xterm.Terminal>;
let writes: string[];
let writer: FrameWriter;

beforeEach(() => {
  terminal = new xterm.Terminal({ cols: 20, rows: 6, allowProposedApi: true });
  writes = [];
  writer = createFrameWriter({
    write: (text) => {
      writes.push(text);
      terminal.write(text);
    },
    get columns() {
      return terminal.cols;
    },
    get rows() {
      return terminal.rows;
    },
  });
});

async function screen(): Promise<string[]> {
  await new Promise<void>((resolve) => {
    terminal.write('', resolve);
  });
  const { active } = terminal.buffer;
  const lines = Array.from(
    { length: terminal.rows },
    (_, row) => active.getLine(active.baseY + row)?.translateToString(true) ?? '',
  );
  while (lines.at(-1) === '') lines.pop();
  return lines;
}

describe('a picture on a terminal', () => {
  it('is one write a picture, and only of the lines that changed', async () => {
    writer.show(['one', 'two', 'three']);
    writer.show(['one', 'TWO', 'three']);
    expect(await screen()).toEqual(['one', 'TWO', 'three']);
    expect(writes).toHaveLength(2);
    expect(writes[1]).toContain('TWO');
    expect(writes[1]).not.toContain('one');
    expect(writes[1]).not.toContain('three');
  });

  it('writes nothing when nothing changed', () => {
    writer.show(['one']);
    writer.show(['one']);
    expect(writes).toHaveLength(1);
  });

  it.each([
    [
      ['a', 'b', 'c', 'd'],
      ['a', 'x'],
    ],
    [['a'], ['a', 'b', 'c']],
    [
      ['long line here', 'b'],
      ['short', 'b'],
    ],
    [['a', 'b'], []],
  ])('leaves no rest from %j to %j', async (before, after) => {
    writer.show(before);
    writer.show(after);
    expect(await screen()).toEqual(after);
  });

  it('stays whole at the bottom of a screen that scrolls', async () => {
    terminal.write('$ 1\r\n$ 2\r\n$ 3\r\n$ 4\r\n');
    writer.show(['a', 'b', 'c']);
    writer.show(['a', 'B', 'c', 'd', 'e']);
    expect(await screen()).toEqual(['a', 'B', 'c', 'd', 'e']);
  });

  it('keeps what is said above it', async () => {
    writer.show(['picture']);
    writer.say('said\ntwice');
    writer.show(['PICTURE']);
    expect(await screen()).toEqual(['said', 'twice', 'PICTURE']);
  });

  it.each([
    [10, 6],
    [40, 4],
  ])('is drawn anew, with no rest, on a terminal of %i by %i', async (cols, rows) => {
    writer.show(['12345678901234567890', 'second line']);
    terminal.resize(cols, rows);
    writer.show(['1234567890', 'second']);
    expect(await screen()).toEqual(['1234567890', 'second']);
  });

  it('hides the cursor while it is there, and gives it back once', () => {
    writer.show(['one']);
    writer.close();
    writer.close();
    const all = writes.join('');
    expect(all.split('\u001b[?25l')).toHaveLength(2);
    expect(all.split('\u001b[?25h')).toHaveLength(2);
  });
});
