import { describe, expect, it } from 'vitest';
import { noSuchHost } from '../../src/cli/no-such-host.ts';
import { sampleStatus } from './render/samples.ts';

describe('a host that the rollout does not have', () => {
  it.each([
    ['hv-01', 'hv-001'],
    ['vh-118', 'hv-118'],
    ['hv118', 'hv-118'],
  ])('%s is guessed to be %s', (name, near) => {
    const typed = { verb: 'retry', hosts: ['hv-002', name] };
    expect(noSuchHost(sampleStatus(), name, typed)).toMatchObject({
      outcome: 'usage',
      message: `enable-iommu#3 has no host "${name}"; did you mean ${near}?`,
      next: `vfleet retry enable-iommu#3 hv-002 ${near}`,
    });
  });

  it.each(['hv-119', 'hv-018', 'nowhere'])(
    'is never guessed to be a machine of another number: %s',
    (name) => {
      const { message, next } = noSuchHost(sampleStatus(), name, {
        verb: 'host',
        hosts: [name],
      });
      expect(message).toBe(`enable-iommu#3 has no host "${name}"`);
      expect(next).toContain('it has 42, e.g. hv-001');
    },
  );
});
