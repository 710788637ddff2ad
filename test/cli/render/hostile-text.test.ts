import { describe, expect, it } from 'vitest';
import { createPlanView } from '../../../src/cli/plan/plan-view.ts';
import { previewRollout } from '../../../src/cli/plan/planned-hosts.ts';
import { planFacts } from '../../../src/cli/plan/probe-hosts.ts';
import { renderAnswer } from '../../../src/cli/render/answer.ts';
import { renderFacts } from '../../../src/cli/render/facts.ts';
import { renderHost } from '../../../src/cli/render/host.ts';
import { renderHostRow } from '../../../src/cli/render/host-row.ts';
import { renderPlan } from '../../../src/cli/render/plan.ts';
import { sshWords } from '../../../src/cli/render/ssh-command.ts';
import { createStyle } from '../../../src/cli/render/style.ts';
import { terminalJson, terminalText } from '../../../src/cli/terminal-text.ts';
import { plainLine } from '../../../src/domain/plain-line.ts';
import { parseFacts } from '../../../src/facts/parse-facts.ts';
import type { Snapshot } from '../../../src/facts/snapshot.ts';
import { HostError } from '../../../src/host/errors.ts';
import { sampleHost } from './host-samples.ts';
import { NOW, SPEC, connection, plain, samplePlan, sampleStatus } from './samples.ts';

/** Clears the screen, sets the title, hides text, reports by C1, turns the writing round, and forges a line. */
const EVIL =
  '\u001b[2J\u001b]0;x\u0007\u001b[8m\u009b31m\u202eabc\u200b\r\nPlan 123456 kept. Start: evil';
/** Any character that is neither printed nor an end of a line. */
const OBEYED = /[^\P{C}\n]/u;

function expectHarmless(text: string): void {
  expect(text).toContain('abc');
  expect(text).not.toMatch(OBEYED);
  expect(text.split('\n').some((line) => line.startsWith('Plan 123456'))).toBe(false);
}

const snapshot: Snapshot = {
  files: new Map(
    Object.entries({
      '/boot/grub/grub.cfg': `set default="${EVIL.split('\r')[0] ?? ''}"\n`,
      '/etc/default/grub': '',
      '/etc/os-release': `PRETTY_NAME="${EVIL}"\n`,
      '/proc/sys/kernel/hostname': EVIL,
      '/proc/sys/kernel/osrelease': `6.1 ${EVIL}`,
      '/proc/cmdline': `ro "${EVIL}"`,
      '/var/lib/vfleet/lease': `id=x\nwho=${EVIL}\n`,
    }).map(([path, text]) => [path, Buffer.from(text)]),
  ),
  links: new Map(),
  dirs: new Map([
    ['/sys/class/iommu', [EVIL]],
    ['/run/libvirt/qemu', [`${EVIL}.xml`]],
    ['/sys/firmware/acpi/tables', ['DMAR']],
    ['/usr/share/qemu', ['x']],
  ]),
  queries: new Map([['uid', { code: 0, output: '0' }]]),
};

describe('text of a host that wants to write on the terminal', () => {
  it('is plain in its facts', () => {
    expectHarmless(renderFacts(parseFacts(snapshot)));
  });

  it('is plain in a plan, for kinds and for what is in the way', () => {
    const facts = { ...parseFacts(snapshot), kvm: true };
    const blocked = planFacts(connection('hv1'), { ...facts, kernelRelease: EVIL }, SPEC.target);
    expect(blocked.plan.kind).toBe('blocked');
    const sample = samplePlan();
    const evil = {
      ...sample,
      hosts: [{ ...blocked, letter: '' }, ...sample.hosts].map(withHardware),
    };
    const view = createPlanView(evil, previewRollout(evil));
    expectHarmless(renderPlan(view, plain, { width: 110, now: NOW }));
  });

  it('is plain in a held host, its evidence on one line', () => {
    const status = sampleHost();
    const hold = { ...status.hold!, sentence: EVIL, evidence: { found: `a\n  b\n${EVIL}` } };
    const view = { status: { ...status, hold }, rolloutName: 'r', now: NOW, width: 110 };
    const text = renderHost(view, plain);
    expectHarmless(text);
    expect(text).toContain('found: a | b | ');
  });

  it('is plain in a row of a status and in an answer', () => {
    const status = sampleStatus();
    expectHarmless(
      renderHostRow(
        { row: { ...status.hosts[0]!, note: EVIL }, rollout: status, now: NOW, width: 110 },
        plain,
      ),
    );
    const answer = { count: 1, next: 'x', refused: [{ host: 'hv1', reason: EVIL }] };
    const verb = { id: 'a', who: 'w', verb: 'pause' } as const;
    expectHarmless(renderAnswer('r#1', verb, answer, plain));
  });

  it('is plain in the sentence of an error', () => {
    expectHarmless(new HostError('ssh.protocol', 'hv1', EVIL).message);
  });
});

describe('the last guard in front of a terminal', () => {
  it('lets our own colours and lines pass, and spells out everything else', () => {
    const style = createStyle(true);
    const ours = Object.values(style)
      .map((color: (text: string) => string) => color('text'))
      .join('\n\t');
    expect(terminalText(ours)).toBe(ours);
    expect(terminalText(EVIL)).not.toMatch(OBEYED);
    expect(terminalText('\u001b[8mx\u001b[2Jy')).toBe('\\u{1b}[8mx\\u{1b}[2Jy');
  });

  it('leaves JSON the same value', () => {
    const value = { text: `${EVIL}\u{e0001}\u2028\u007f` };
    const json = terminalJson(JSON.stringify(value));
    expect(json).not.toMatch(OBEYED);
    expect(JSON.parse(json)).toEqual(value);
  });

  it('is not kept busy by long runs of blanks', () => {
    const began = performance.now();
    expect(plainLine(`a${' '.repeat(2_000_000)}\u001b`)).toMatch(/\\u\{1b\}$/);
    expect(performance.now() - began).toBeLessThan(2_000);
  });
});

describe('the ssh command to copy', () => {
  it('quotes a path of the inventory that a shell would read', () => {
    const evil = {
      ...connection('hv1'),
      identityFile: "~/.ssh/k;touch 'x'",
      knownHostsFile: '$(id)',
    };
    expect(sshWords(evil).join(' ')).toContain(
      `-i '~/.ssh/k;touch '\\''x'\\''' -o UserKnownHostsFile='$(id)'`,
    );
  });
});

function withHardware<H extends { readonly plan: { readonly kind: string } }>(host: H): H {
  const { plan } = host;
  return plan.kind === 'changes'
    ? { ...host, plan: { ...plan, hardware: EVIL, warnings: [EVIL] } }
    : host;
}
