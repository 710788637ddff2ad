import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import ssh2, { type AnyAuthMethod, type ParsedKey } from 'ssh2';
import { HostError } from '../errors.ts';
import { expandHome } from './expand-home.ts';

const { createAgent, utils } = ssh2;

const DEFAULT_KEYS = ['id_ed25519', 'id_ecdsa', 'id_rsa'];

/** Who logs in with what. */
export interface Login {
  /** The host's name, for messages. */
  readonly host: string;
  readonly user: string;
  readonly identityFile?: string;
}

/**
 * The ways to log in, in order: the named key alone; else the agent's keys, then the default key files that have no
 * passphrase. Each is tried once: sshd punishes repeated failures (PerSourcePenalties, reference/ssh.md trap 8).
 *
 * @throws HostError `ssh.key-file` when there is nothing to log in with.
 */
export async function loginMethods(login: Login): Promise<AnyAuthMethod[]> {
  const { user } = login;
  if (login.identityFile !== undefined) {
    return [keyMethod(user, await namedKey(login, expandHome(login.identityFile)))];
  }
  const folder = join(homedir(), '.ssh');
  const keys = await Promise.all(DEFAULT_KEYS.map((name) => plainKey(join(folder, name))));
  const methods = [
    ...(await agentMethods(user)),
    ...keys.flatMap((key) => (key === undefined ? [] : [keyMethod(user, key)])),
  ];
  if (methods.length > 0) return methods;
  throw keyError(
    login,
    'there is no key to log in with: start ssh-agent with one (SSH_AUTH_SOCK), or name identityFile in the inventory',
  );
}

const keyMethod = (username: string, key: ParsedKey): AnyAuthMethod => ({
  type: 'publickey',
  username,
  key,
});

async function namedKey(login: Login, file: string): Promise<ParsedKey> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw keyError(login, `the key file ${file} cannot be read (${code ?? 'unknown'})`, error);
  }
  const key = utils.parseKey(text);
  if (!(key instanceof Error)) return key;
  if (/encrypted/i.test(key.message)) {
    throw keyError(
      login,
      `the key ${file} has a passphrase, which a worker cannot type: load it into ssh-agent and remove identityFile, or use another key`,
    );
  }
  throw keyError(login, `${file} is not a private key that can be used (${key.message})`);
}

/** A default key, or `undefined` when it is absent, has a passphrase or is of a kind that ssh2 does not know. */
async function plainKey(file: string): Promise<ParsedKey | undefined> {
  try {
    const key = utils.parseKey(await readFile(file, 'utf8'));
    return key instanceof Error ? undefined : key;
  } catch {
    return undefined;
  }
}

/** The agent when it answers and has a key; ssh2 takes an agent that does not answer for a failed connection. */
async function agentMethods(username: string): Promise<AnyAuthMethod[]> {
  const socket = process.env['SSH_AUTH_SOCK'];
  if (socket === undefined || socket === '') return [];
  const agent = createAgent(socket);
  const count = await new Promise<number>((resolve) => {
    agent.getIdentities((error, keys) => resolve(error ? 0 : (keys?.length ?? 0)));
  });
  return count === 0 ? [] : [{ type: 'agent', username, agent }];
}

const keyError = (login: Login, sentence: string, cause?: unknown): HostError =>
  new HostError('ssh.key-file', login.host, sentence, { cause });
