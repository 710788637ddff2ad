import { describe, expect, it } from 'vitest';
import {
  loadInventoryFromCommand,
  type CommandLimits,
} from '../../src/schema/inventory/inventory-command.ts';
import { formatProblem } from '../../src/schema/problem.ts';
import { stillAlive } from '../cli/descendants.ts';

const FOLDER = 'test/schema/fixtures/inventories';

async function problemsOf(
  command: [string, ...string[]],
  limits?: CommandLimits,
): Promise<string[]> {
  const loaded = await loadInventoryFromCommand(command, FOLDER, limits);
  return loaded.ok ? [] : loaded.problems.map(formatProblem);
}

describe('an inventory from a command', () => {
  it('is run in the folder given, and its output is read', async () => {
    const loaded = await loadInventoryFromCommand(['./dynamic.sh', '--list'], FOLDER);
    expect(loaded.ok && loaded.inventory.hosts.find(({ name }) => name === 'a')).toEqual({
      ...{ name: 'a', address: '192.0.2.1', port: 22, user: 'ops' },
      groups: ['web'],
      labels: { rack: 'r1', n: '5', who: 'web' },
    });
  });

  it('gets its arguments as they are, with no shell in between', async () => {
    const words = ['printf', '%s', '{"_meta": {"hostvars": {}}, "g": ["a"]}'] as const;
    expect(await problemsOf([...words])).toEqual([]);
    expect(await problemsOf(['echo', '$(id)'])).toEqual([
      'output of echo:1:1: is no JSON with _meta, as ansible-inventory --list prints it, but "$(id)..."',
    ]);
  });

  it('that fails is refused with what it said on stderr', async () => {
    expect(await problemsOf(['sh', '-c', 'echo no key >&2; echo no cloud >&2; exit 3'])).toEqual([
      `output of sh:1:1: "sh -c echo no key >&2; echo no cloud >&2; exit 3" ended with exit code 3; it said:\n  no key\n  no cloud`,
    ]);
  });

  it('that is not there is refused', async () => {
    expect(await problemsOf(['no-such-program-of-anybody'])).toEqual([
      'output of no-such-program-of-anybody:1:1: there is no program no-such-program-of-anybody, or no folder to run it in',
    ]);
  });

  it('that does not end is ended at its deadline, and cannot wait for an answer on stdin', async () => {
    expect(await problemsOf(['sleep', '600'], { deadlineMs: 100 })).toEqual([
      'output of sleep:1:1: "sleep 600" did not end within 0.1 s',
    ]);
    expect(await problemsOf(['cat'])).toEqual([
      'output of cat:1:1: is no JSON with _meta, as ansible-inventory --list prints it, but nothing',
    ]);
  });

  it('that prints without end is ended', async () => {
    expect(await problemsOf(['yes'])).toEqual([
      'output of yes:1:1: "yes" printed more than 64 MiB',
    ]);
  });

  it.each<readonly [string, string, () => CommandLimits, string]>([
    ['at the deadline', 'wait', () => ({ deadlineMs: 500 }), 'did not end within'],
    ['when it prints too much', 'yes', () => ({}), 'printed more than'],
    ['when vfleet is stopped', 'wait', () => ({ signal: AbortSignal.timeout(500) }), 'was stopped'],
  ])('is ended %s with all that it started', async (_when, then, limits, why) => {
    const [problem = ''] = await problemsOf(
      ['sh', '-c', `sleep 600 & echo "$!" >&2; ${then}`],
      limits(),
    );
    expect(problem).toContain(why);
    const child = Number(/it said:\n {2}(\d+)$/.exec(problem)?.[1]);
    expect(child).toBeGreaterThan(1);
    await expect.poll(() => stillAlive([child])).toEqual([]);
  });

  it('that could not even be started is refused too', async () => {
    expect(await problemsOf(['./dynamic.sh/x'])).toEqual([
      'output of ./dynamic.sh/x:1:1: "./dynamic.sh/x" failed: ENOTDIR',
    ]);
  });
});
