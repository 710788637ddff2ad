import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Answer, askAnsible, hasAnsible } from './ask-ansible.ts';
import { expectSameGroups, expectSameHosts, expectSameVars, inventoryIn } from './like-ansible.ts';

const FIXTURES = 'test/schema/fixtures';
const INVENTORIES = `${FIXTURES}/inventories`;
const patternsOf = JSON.parse(readFileSync(`${FIXTURES}/patterns.json`, 'utf8')) as Readonly<
  Record<string, readonly string[]>
>;

/** What Ansible said when its answers were recorded; test/setup/ansible.sh tells how to record them anew. */
function recorded(name: string): Answer {
  return JSON.parse(readFileSync(answerFile(name), 'utf8')) as Answer;
}

function answerFile(name: string): string {
  return `${FIXTURES}/expected/${name.replace('/', '-')}.json`;
}

describe.each(Object.entries(patternsOf))('%s is read as Ansible reads it', (name, patterns) => {
  it('has the same hosts in the same groups', async () => {
    expectSameGroups(await inventoryIn(INVENTORIES, name), recorded(name).list);
  });

  it('gives each host the same variables', async () => {
    expectSameVars(await inventoryIn(INVENTORIES, name), recorded(name).list);
  });

  it.each(patterns)('%s selects the same hosts', async (pattern) => {
    const { [pattern]: hosts } = recorded(name).patterns;
    expect(hosts?.length).toBeGreaterThan(0);
    expectSameHosts(await inventoryIn(INVENTORIES, name), pattern, hosts);
  });
});

describe.skipIf(!hasAnsible)('the recorded answers (needs test/setup/ansible.sh)', () => {
  it('are what Ansible says today', { timeout: 300_000 }, async () => {
    const names = Object.keys(patternsOf);
    const questions = names.map((inventory) => ({
      inventory,
      patterns: patternsOf[inventory] ?? [],
    }));
    const answers = askAnsible(INVENTORIES, questions);
    for (const [index, name] of names.entries()) {
      const text = `${JSON.stringify(answers[index], undefined, 1)}\n`;
      await expect(text).toMatchFileSnapshot(`../../${answerFile(name)}`);
    }
  });
});
