import type { RankedFinding } from '../../domain/diagnose/diagnose.ts';
import type { Severity } from '../../domain/diagnose/finding.ts';
import { plainLines } from '../../domain/plain-line.ts';
import type { DiagnosedHost } from '../json/outputs.ts';
import { count } from './count.ts';
import { sectionsText, withLabel } from './lines.ts';
import type { Style } from './style.ts';

/** Findings of hosts as text: of each host the causes first, each with its proof and what to do next. */
export function renderDiagnosis(
  given: readonly DiagnosedHost[],
  style: Style,
  width: number,
  source: { readonly inventory?: string },
): string {
  return plainLines(given)
    .map((host) => sectionsText(hostSections(host, style, source), width))
    .join('\n\n');
}

function hostSections(
  host: DiagnosedHost,
  style: Style,
  { inventory }: { readonly inventory?: string },
): readonly (readonly string[])[] {
  const name = style.strong(host.name);
  if ('problem' in host) {
    const { code, sentence } = host.problem;
    return [
      [
        `${name}   ${style.warn('NOT READ')}   ${style.strong(code)}`,
        withLabel('', sentence),
        withLabel('NEXT', style.command(`vfleet explain ${code}`)),
      ],
    ];
  }
  const where = host.capture === undefined ? '' : `   from the capture ${host.capture}`;
  const more =
    inventory === undefined ? [] : [style.command(`vfleet facts ${host.name} -i ${inventory}`)];
  return [
    [`${name}   ${summary(host.findings, style)}${where}`],
    ...host.findings.map((finding) => findingLines(finding, style)),
    [
      ...(host.notRead.length === 0
        ? []
        : [withLabel('NOT READ', `${host.notRead.join(', ')}: of these nothing is said`)]),
      ...more.map((command) => withLabel('MORE', command)),
    ],
  ];
}

const SEVERITIES: readonly Severity[] = ['critical', 'warning', 'note'];

function summary(findings: readonly RankedFinding[], style: Style): string {
  if (findings.length === 0) return style.good('nothing found');
  const parts = SEVERITIES.flatMap((severity) => {
    const number = findings.filter((finding) => finding.severity === severity).length;
    return number === 0 ? [] : [`${number} ${severity}`];
  });
  return `${count(findings.length, 'finding')}: ${parts.join(', ')}`;
}

function findingLines(finding: RankedFinding, style: Style): string[] {
  const { code, topic, severity, sentence, proof, next, follows } = finding;
  const label = MARKS[severity](style)(severity.toUpperCase());
  const cause =
    follows.length === 0 ? '' : style.faint(`   follows from ${follows.slice(0, 3).join(', ')}`);
  return [
    withLabel(label, `${style.strong(code)}   ${topic}${cause}`),
    withLabel('', sentence),
    ...proof.map(({ source, text }, at) =>
      withLabel(at === 0 ? 'PROOF' : '', `${source}: ${text}`),
    ),
    withLabel('NEXT', next),
    withLabel('', style.command(`vfleet explain ${code}`)),
  ];
}

const MARKS: Readonly<Record<Severity, (style: Style) => Style['bad']>> = {
  critical: ({ bad }) => bad,
  warning: ({ warn }) => warn,
  note: ({ faint }) => faint,
};
