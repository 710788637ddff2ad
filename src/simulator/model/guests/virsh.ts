import type { ModelHost } from '../model-host.ts';
import { exit, type ProgramResult } from '../programs/result.ts';
import { configPath, domainOfStatus, headerOf, livePath } from './guest-text.ts';
import type { Guests } from './guests.ts';
import { addHostdev, hostdevsIn, parseDeviceFile, removeHostdev, setPin } from './hostdev-xml.ts';

const failed = (...lines: readonly string[]): ProgramResult =>
  exit(1, '', `${lines.map((line) => `error: ${line}\n`).join('')}\n`);
const done = (words: string, changed = true): ProgramResult => exit(0, `${words}\n\n`, '', changed);

interface Call {
  readonly host: ModelHost;
  readonly guests: Guests;
  readonly name: string;
  readonly words: readonly string[];
  readonly flags: ReadonlySet<string>;
}

type Verb = (call: Call) => ProgramResult;

const VERBS: ReadonlyMap<string, Verb> = new Map<string, Verb>([
  [
    'domstate',
    ({ guests, name }) => done(guests.live(name) === undefined ? 'shut off' : 'running', false),
  ],
  ['dumpxml', dumpxml],
  ['start', start],
  ['destroy', ({ guests, name }) => stop(guests, name, 'destroyed')],
  ['shutdown', ({ guests, name }) => stop(guests, name, 'is being shutdown')],
  ['attach-device', attach],
  ['detach-device', detach],
  ['vcpupin', vcpupin],
]);

/** `virsh [-c URI] [-q] VERB ...`, of which the model knows what vfleet and its tests use. */
export function virsh(args: readonly string[], host: ModelHost): ProgramResult {
  if (host.units.get('libvirtd') !== 'active') return failed(...NO_LIBVIRT);
  const rest = withoutOptions(args);
  const [verb = '', ...words] = rest.filter((word) => !word.startsWith('--'));
  const flags = new Set(rest.filter((word) => word.startsWith('--')));
  const { guests } = host;
  if (verb === 'list') return list(guests, flags);
  if (verb === 'define') return define(host, words[0] ?? '');
  const run = VERBS.get(verb);
  if (run === undefined) {
    host.complain(`the model does not know virsh ${args.join(' ')}`);
    return failed(`unknown command: '${verb}'`);
  }
  const [name = '', ...more] = words;
  const isThere = guests.config(name) !== undefined || guests.live(name) !== undefined;
  return isThere
    ? run({ host, guests, name, words: more, flags })
    : failed(`failed to get domain '${name}'`);
}

const NO_LIBVIRT = [
  'failed to connect to the hypervisor',
  "Failed to connect socket to '/var/run/libvirt/libvirt-sock': No such file or directory",
];

function withoutOptions(args: readonly string[]): readonly string[] {
  const [first = '', ...rest] = args;
  if (first === '-c' || first === '--connect') return withoutOptions(rest.slice(1));
  return first === '-q' || first === '--quiet' ? withoutOptions(rest) : args;
}

function list(guests: Guests, flags: ReadonlySet<string>): ProgramResult {
  const rows = guests.names().flatMap((name) => {
    const state = guests.live(name) === undefined ? 'shut off' : 'running';
    return state === 'running' || flags.has('--all') ? [{ name, state }] : [];
  });
  if (flags.has('--name')) return exit(0, `${rows.map(({ name }) => `${name}\n`).join('')}\n`);
  const width = Math.max(4, ...rows.map(({ name }) => name.length));
  const line = (id: string, name: string, state: string) =>
    ` ${id.padEnd(4)} ${name.padEnd(width)}   ${state}\n`;
  const body = rows.map(({ name, state }) => line(state === 'running' ? '1' : '-', name, state));
  return exit(0, `${line('Id', 'Name', 'State')}${'-'.repeat(20 + width)}\n${body.join('')}\n`);
}

function define(host: ModelHost, file: string): ProgramResult {
  const text = host.tree.text(file);
  if (text === undefined) {
    return failed(`Failed to open file '${file}': No such file or directory`);
  }
  const name = /<name>([^<]+)<\/name>/.exec(text)?.[1];
  if (name === undefined || !text.includes('<domain')) {
    return failed(`Failed to define domain from ${file}`, 'XML error: the model cannot read it');
  }
  const xml = headerOf(name) + text.slice(text.indexOf('<domain'));
  const changed = host.guests.config(name) !== xml;
  host.disk.put(configPath(name), xml, 0o600);
  return exit(0, `Domain '${name}' defined from ${file}\n\n`, '', changed);
}

function dumpxml({ guests, name, flags }: Call): ProgramResult {
  const live = flags.has('--inactive') ? undefined : guests.live(name);
  const config = guests.document(name);
  const xml = live === undefined ? config.slice(config.indexOf('<domain')) : domainOfStatus(live);
  const shown = flags.has('--security-info') ? xml : xml.replace(/ passwd='[^']*'/g, '');
  return exit(0, `${shown}\n`);
}

function start({ guests, name }: Call): ProgramResult {
  if (guests.live(name) !== undefined) return failed('Domain is already active');
  const refusal = guests.run(name);
  return refusal === undefined
    ? done(`Domain '${name}' started`)
    : failed(`Failed to start domain '${name}'`, refusal);
}

function stop(guests: Guests, name: string, how: string): ProgramResult {
  if (guests.live(name) === undefined) {
    return failed('Requested operation is not valid: domain is not running');
  }
  guests.end(name);
  return done(`Domain '${name}' ${how}`);
}

/** Where a change goes: `--config`, `--live`, both; without either, live when the guest runs. */
function scopes({
  guests,
  name,
  flags,
}: Call): { readonly config: boolean; readonly live: boolean } | string {
  const running = guests.live(name) !== undefined;
  const config =
    flags.has('--config') || (!flags.has('--live') && !running) || flags.has('--persistent');
  const live = flags.has('--live') || (!flags.has('--config') && running);
  if (live && !running) return 'Requested operation is not valid: domain is not running';
  if (config && guests.config(name) === undefined) {
    return 'Requested operation is not valid: transient domains do not have any persistent config';
  }
  return { config, live };
}

/** Both scopes or neither: libvirt makes the new configuration first, changes the guest, then keeps the configuration. */
function attach(call: Call): ProgramResult {
  const { host, guests, name } = call;
  const { file, device, refused } = deviceOf(call);
  if (device === undefined) return refused;
  const where = scopes(call);
  const fail = (why: string) => failed(`Failed to attach device from ${file}`, why);
  if (typeof where === 'string') return fail(where);
  const config = guests.config(name) ?? '';
  if (where.config && hostdevsIn(config).some(({ address }) => address === device.address)) {
    return fail('Requested operation is not valid: device is already in the domain configuration');
  }
  const changed = where.config ? addHostdev(config, { ...device, live: false }) : undefined;
  const refusal = where.live ? guests.plug(name, device) : undefined;
  if (refusal !== undefined) return fail(refusal);
  if (changed !== undefined) host.disk.put(configPath(name), changed);
  return done('Device attached successfully');
}

function detach(call: Call): ProgramResult {
  const { host, guests, name } = call;
  const { file, device, refused } = deviceOf(call);
  if (device === undefined) return refused;
  const where = scopes(call);
  const fail = (why: string) => failed(`Failed to detach device from ${file}`, why);
  if (typeof where === 'string') return fail(where);
  const { address } = device;
  const has = (xml: string | undefined) =>
    hostdevsIn(xml ?? '').some((it) => it.address === address);
  if (where.config && !has(guests.config(name))) {
    return fail('device not found: device not present in domain configuration');
  }
  if (where.live && !has(guests.live(name))) {
    return fail(`device not found: host pci device ${address} not found`);
  }
  // libvirt says that all went well also when the guest did not let go.
  if (where.live) guests.unplug(name, address);
  if (where.config) {
    host.disk.put(configPath(name), removeHostdev(guests.config(name) ?? '', address));
  }
  return done('Device detached successfully');
}

function deviceOf({ host, words }: Call) {
  const [file = ''] = words;
  const text = host.tree.text(file);
  const device = text === undefined ? undefined : parseDeviceFile(text);
  const refused =
    text === undefined
      ? failed(`Failed to open file '${file}': No such file or directory`)
      : failed(
          `Failed to attach device from ${file}`,
          'XML error: the model cannot read this device',
        );
  return { file, device, refused };
}

function vcpupin(call: Call): ProgramResult {
  const { host, guests, name, words } = call;
  const [vcpu = '', cpus] = words;
  if (cpus === undefined) {
    host.complain('the model knows virsh vcpupin only with a vCPU and a CPU list');
    return failed('the model does not print pins');
  }
  const where = scopes(call);
  if (typeof where === 'string') return failed(where);
  const list = cpus === 'r' ? `0-${host.cpus - 1}` : cpus;
  const refusal = pinRefusal(host.cpus, guests.document(name), vcpu, list);
  if (refusal !== undefined) return failed(refusal);
  const documents = [where.live ? [livePath(name)] : [], where.config ? [configPath(name)] : []];
  for (const path of documents.flat()) {
    host.disk.put(path, setPin(host.tree.text(path) ?? '', vcpu, list));
  }
  return exit(0, '\n', '', true);
}

function pinRefusal(
  cpus: number,
  document: string,
  vcpu: string,
  list: string,
): string | undefined {
  const beyond = list.split(/[,-]/).find((cpu) => Number(cpu) >= cpus);
  if (beyond !== undefined) return `CPU ${beyond} in cpulist '${list}' exceed the maxcpu ${cpus}`;
  const count = Number(/<vcpu[^>]*>(\d+)</.exec(document)?.[1]);
  return Number(vcpu) < count
    ? undefined
    : `invalid argument: vcpu ${vcpu} is out of range of persistent cpu count ${count}`;
}
