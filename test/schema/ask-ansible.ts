import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const ANSIBLE = join(ROOT, '.cache/ansible');
const SCRIPT = join(ROOT, 'test/schema/fixtures/ask-ansible.py');

/** An inventory and the patterns to try on it. */
interface Question {
  readonly inventory: string;
  readonly patterns: readonly string[];
}

/** What Ansible says: `ansible-inventory --list`, and by pattern the hosts of `ansible --list-hosts`. */
export interface Answer {
  readonly list: Readonly<Record<string, AnsibleGroup>> & {
    readonly _meta: { readonly hostvars: Readonly<Record<string, AnsibleVars>> };
  };
  /** Sorted names; `null` when Ansible refuses the pattern. */
  readonly patterns: Readonly<Record<string, readonly string[] | null>>;
}

interface AnsibleGroup {
  readonly hosts?: readonly string[];
  readonly children?: readonly string[];
}

type AnsibleVars = Readonly<Record<string, unknown>>;

/** Whether test/setup/ansible.sh was run here; under VFLEET_REQUIRE_ANSIBLE=1 a test without it must fail. */
export const hasAnsible =
  existsSync(join(ANSIBLE, 'ansible')) || process.env['VFLEET_REQUIRE_ANSIBLE'] === '1';

/** Asks Ansible in a folder, with none of this machine's own settings. */
export function askAnsible(folder: string, questions: readonly Question[]): readonly Answer[] {
  if (!existsSync(ANSIBLE)) throw new Error('Ansible is not here: run test/setup/ansible.sh first');
  const home = join(ROOT, '.cache/ansible-home');
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, 'ansible.cfg'), '');
  const text = execFileSync('python3', [SCRIPT], {
    cwd: folder,
    input: JSON.stringify(questions),
    env: {
      PATH: process.env['PATH'],
      LC_ALL: 'C.UTF-8',
      PYTHONPATH: ANSIBLE,
      ANSIBLE_HOME: home,
      ANSIBLE_CONFIG: join(home, 'ansible.cfg'),
    },
    stdio: ['pipe', 'pipe', 'ignore'],
    maxBuffer: 64 * 1024 * 1024,
  });
  return JSON.parse(text.toString()) as Answer[];
}
