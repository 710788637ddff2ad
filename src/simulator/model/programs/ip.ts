import type { ModelHost } from '../model-host.ts';
import { setVf } from '../pci/net-admin.ts';
import type { PciFunction } from '../pci/pci-function.ts';
import { addressesJson, defaultRoutesJson, linksJson } from '../queries/network.ts';
import { exit, type ProgramResult } from './result.ts';

/** Largest MTU of the model's cards. */
const MTU_MAX = 9702;

/** `ip [-j] link show [dev X]`, `address show`, `route show default`, and `link set [dev] X ...`. */
export function ip(args: readonly string[], host: ModelHost): ProgramResult {
  const words = args.filter((arg) => !/^-(j|d|s|4)$/.test(arg));
  const [object, verb, ...rest] = words;
  if (object === 'link' && verb === 'set') return setLink(host, rest);
  if (!args.includes('-j')) return unknown(host, args);
  if (object === 'link' && verb === 'show')
    return showLink(
      host,
      rest.find((it) => it !== 'dev'),
    );
  if (/^addr(ess)?$/.test(object ?? '') && verb === 'show') {
    return exit(0, `${addressesJson(host, undefined)}\n`);
  }
  return object === 'route' ? exit(0, `${defaultRoutesJson(host)}\n`) : unknown(host, args);
}

function unknown(host: ModelHost, args: readonly string[]): ProgramResult {
  host.complain(`the model does not know ip ${args.join(' ')}`);
  return exit(255, '', `Object "${args.join(' ')}" is unknown, try "ip help".\n`);
}

function showLink(host: ModelHost, name: string | undefined): ProgramResult {
  if (name === undefined) return exit(0, `${linksJson(host)}\n`);
  if (name === 'lo' || cardOf(host, name) !== undefined) {
    return exit(0, `${linksJson(host, name)}\n`);
  }
  return exit(1, '', `Device "${name}" does not exist.\n`);
}

function setLink(host: ModelHost, words: readonly string[]): ProgramResult {
  const [name = '', ...rest] = words[0] === 'dev' ? words.slice(1) : words;
  const card = cardOf(host, name);
  if (card?.net === undefined) return exit(1, '', `Cannot find device "${name}"\n`);
  const before = JSON.stringify(card.net);
  const refusal = set(card, rest);
  if (refusal !== undefined) return exit(2, '', `${refusal}\n`);
  return exit(0, '', '', JSON.stringify(card.net) !== before);
}

function set(
  card: PciFunction,
  [what, value = '', ...more]: readonly string[],
): string | undefined {
  const { net } = card;
  if (net === undefined) return 'RTNETLINK answers: No such device';
  switch (what) {
    case 'vf':
      return setVf(card, Number(value), more);
    case 'mtu':
      if (Number(value) > MTU_MAX) return 'Error: mtu greater than device maximum.';
      net.mtu = Number(value);
      return undefined;
    case 'up':
    case 'down':
      net.up = what === 'up';
      return undefined;
    default:
      return `Error: either "dev" is duplicate, or "${what ?? ''}" is a garbage.`;
  }
}

function cardOf(host: ModelHost, name: string): PciFunction | undefined {
  return [...host.kernel.bus.functions.values()].find(({ netdev }) => netdev === name);
}
