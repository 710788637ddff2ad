import { describe, expect, it } from 'vitest';
import { OUTPUT_BYTES_MAX, type RunOutcome } from '../../../src/host/port.ts';
import { DEADLINE_MS, type ContractHost } from './contract-host.ts';
import type { ContractBench } from './port-contract.ts';

const run = (
  host: ContractHost,
  argv: readonly [string, ...string[]],
  deadlineMs = DEADLINE_MS,
): Promise<RunOutcome> => host.port.run({ argv: [...argv], deadlineMs });

/** What `run` answers. */
export function runContract(bench: ContractBench): void {
  describe('run', () => {
    it('answers exit code and both outputs; a non-zero exit is an answer', async () => {
      const host = await bench.host();
      await host.program('vt-talk', { stdout: 'one\ntwo\n', stderr: 'uh\n', code: 3 });
      expect(await run(host, ['vt-talk'])).toEqual({
        kind: 'exited',
        code: 3,
        stdout: 'one\ntwo\n',
        stderr: 'uh\n',
      });
    });

    it('gives arguments as they are', async () => {
      const host = await bench.host();
      await host.program('vt-args', { printsArguments: true });
      const args = ['a b', '', '$HOME', '*', "it's", '"', '\\', '-n', 'end', 'ä '];
      const { stdout } = await run(host, ['vt-args', ...args]);
      expect(stdout).toBe(args.map((it) => `<${it}>\n`).join(''));
    });

    it('keeps the end of a long output, as characters', async () => {
      const host = await bench.host();
      await host.program('vt-long', {
        stdout: `${'ä'.repeat(40_000)}end`,
        stderr: 'e'.repeat(20_000),
      });
      const { stdout, stderr } = await run(host, ['vt-long']);
      expect(stdout).toMatch(/^ä+end$/);
      expect(Buffer.byteLength(stdout)).toBeGreaterThan(OUTPUT_BYTES_MAX - 4);
      expect(Buffer.byteLength(stdout)).toBeLessThanOrEqual(OUTPUT_BYTES_MAX);
      expect(stderr).toBe('e'.repeat(OUTPUT_BYTES_MAX));
    });

    it('tells an exit code 124 of the program from its own time limit', async () => {
      const host = await bench.host();
      await host.program('vt-124', { code: 124 });
      expect(await run(host, ['vt-124'])).toMatchObject({ kind: 'exited', code: 124 });
    });

    it('ends a program at the deadline, and shows what it said until then', async () => {
      const host = await bench.host();
      await host.program('vt-hang', { stdout: 'working\n', hangs: true });
      expect(await run(host, ['vt-hang'], 1000)).toMatchObject({
        kind: 'timed-out',
        stdout: 'working\n',
      });
    });

    it('knows that there is no such program', async () => {
      const host = await bench.host();
      expect(await run(host, ['vt-none', 'x'])).toMatchObject({ kind: 'not-found', code: 127 });
    });

    it('runs several at once', async () => {
      const host = await bench.host();
      await host.program('vt-args', { printsArguments: true });
      const many = Array.from({ length: 12 }, (_, i) => String(i));
      const outputs = await Promise.all(many.map((it) => run(host, ['vt-args', it])));
      expect(outputs.map((it) => it.stdout)).toEqual(many.map((it) => `<${it}>\n`));
    });
  });
}
