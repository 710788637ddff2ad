import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { REPOSITORY, filesUnder } from './support/repository.ts';

const FILES = filesUnder();
const read = (file: string): string => readFileSync(new URL(file, REPOSITORY), 'utf8');
const exists = (path: string): boolean => existsSync(new URL(path, REPOSITORY));
const matching = (pattern: RegExp): readonly string[] => FILES.filter((file) => pattern.test(file));
/** Written by programs, or by others: no rule of ours holds there. */
const GIVEN = /^(package-lock\.json|LICENSE)$|^test\/(histories|fixtures|.*\/fixtures)\//;
const OURS = FILES.filter((file) => !GIVEN.test(file));

/** Each place in our own text files that a pattern finds, as `file: what was found`. */
function found(pattern: RegExp, files: readonly string[] = OURS): readonly string[] {
  return files.flatMap((file) =>
    [...read(file).matchAll(pattern)].map(([text]) => `${file}: ${text.trim()}`),
  );
}

describe('the documents', () => {
  const PAGES = matching(/^([A-Z]+|docs\/.*|lab\/.*)\.md$/);
  const FOLDERS = 'src|activities|workflows|workers|test|lab|examples|docs|bin|\\.ci';

  it.each(PAGES)('%s names only paths that exist', (page) => {
    // A `<step>` in a path stands for any name; it and what follows are left out.
    const paths = [
      ...read(page).matchAll(new RegExp(`(?<![\\w/.-])(?:${FOLDERS})/[\\w./-]*(?<![.-])`, 'g')),
      ...read(page).matchAll(/(?<=`)[\w.-]+\.(?:ts|js|cjs|mjs|json|yml|md)(?=`)/g),
    ].map(([path]) => path);
    const folder = page.slice(0, page.lastIndexOf('/') + 1);
    expect(paths.filter((path) => !exists(path) && !exists(folder + path))).toEqual([]);
  });

  it.each(PAGES)('%s links only to what exists', (page) => {
    const links = [...read(page).matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, link]) => link!);
    expect(links.filter((link) => !existsSync(new URL(link, new URL(page, REPOSITORY))))).toEqual(
      [],
    );
  });

  it('ARCHITECTURE.md has a row for every layer, and each layer is there', () => {
    const layers = [...read('ARCHITECTURE.md').matchAll(/^\| `([^`]+)` +\|/gm)].map(
      ([, path]) => path!,
    );
    expect(layers.filter((path) => !exists(path))).toEqual([]);
    const folders = matching(/^src\/[^/]+\//).map((file) => file.split('/', 2).join('/'));
    expect(layers).toEqual(expect.arrayContaining([...new Set(folders)]));
  });

  it('CHANGELOG.md is a list of lines under each release, newest first', () => {
    const [head, ...releases] = read('CHANGELOG.md').split(/^## /m);
    expect(head).toMatch(/^# Changelog\n\nHow to edit: .+\n/);
    expect(releases[0]).toMatch(/^Unreleased\n/);
    for (const release of releases) {
      expect(release).toMatch(
        /^(Unreleased|\d+\.\d+\.\d+ \(\d{4}-\d\d-\d\d\))\n\n(- .+\n( {2}.+\n)*)+\n?$/,
      );
    }
  });
});

describe('the code', () => {
  it('has no work left in comments', () => {
    expect(found(/\b(?:FIXM[E]|TOD[O]|XX[X]|HAC[K])\b(?!\|)/g)).toEqual([]);
  });

  it('runs all its tests: none alone, and one left out says why', () => {
    const tests = matching(/^(test|lab)\/.*\.ts$/);
    expect(found(/\b(?:it|test|describe)\.(?:only|todo)\b/g, tests)).toEqual([]);
    const silent = tests.filter((file) =>
      read(file)
        .split('\n')
        .some(
          (line, at, lines) =>
            /\b(?:it|test|describe)\.(?:skip|skipIf|runIf)\(/.test(line) &&
            !lines
              .slice(Math.max(0, at - 6), at + 6)
              .some((near) => /\/\/|why|because|needs/.test(near)),
        ),
    );
    expect(silent).toEqual([]);
  });

  it('has no file of more than 300 lines that a person writes', () => {
    const made = new Set(['docs/codes.md']);
    const long = OURS.filter((file) => /\.(ts|mjs|cjs|js|sh|md|py)$/.test(file) && !made.has(file))
      .map((file) => [file, read(file).split('\n').length - 1] as const)
      .filter(([, lines]) => lines > 300);
    expect(long).toEqual([]);
  });

  it('has a test for every step of activities/steps; their parts are tested through them', () => {
    const tests = matching(/^test\/.*\.ts$/)
      .map(read)
      .join('\n');
    const untested = matching(/^activities\/steps\/[^/]+$/).filter((file) => !tests.includes(file));
    expect(untested).toEqual([]);
  });

  it('has a recorded history of every workflow', () => {
    const workflows = [...read('workflows/index.ts').matchAll(/export \{ (\w+) \}/g)];
    expect(workflows).not.toEqual([]);
    const recorded = matching(/^test\/histories\/.*\.json$/).map((file) => {
      const { events } = JSON.parse(read(file)) as {
        events: [{ workflowExecutionStartedEventAttributes: { workflowType: { name: string } } }];
      };
      return events[0].workflowExecutionStartedEventAttributes.workflowType.name;
    });
    expect(recorded).toEqual(expect.arrayContaining(workflows.map(([, name]) => name)));
  });
});

describe('nothing of the machine it was written on is in a file', () => {
  // Parts apart, so that this file itself passes.
  const REGISTRIES = ['npmjs', 'yarnpkg', 'pypi', 'pythonhosted', 'npmmirror'];
  const configured = Object.entries(process.env)
    .filter(([name]) => /registry|index_url|proxy$/i.test(name))
    .flatMap(([, value]) => (URL.canParse(value ?? '') ? [new URL(value!).hostname] : []))
    .filter((host) => !/^(127\.|localhost$|\[?::1)/.test(host));

  it('no host of a registry', () => {
    const names = [...REGISTRIES.map((name) => `${name}\\.(?:org|com)`), ...configured.map(quoted)];
    expect(
      found(new RegExp(`.*\\b(?:${names.join('|')})\\b`, 'gi'), [...OURS, 'package-lock.json']),
    ).toEqual([]);
  });

  it('no path of its checkout', () => {
    const here = fileURLToPath(REPOSITORY);
    expect(here.length).toBeGreaterThan(4);
    expect(found(new RegExp(`.*${quoted(here)}`, 'g'), FILES)).toEqual([]);
  });
});

function quoted(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
