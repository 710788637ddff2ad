import { describe, expect, it } from 'vitest';
import { Driver } from './driver.ts';
import { inputOf, uniform } from './fleet.ts';

/** A rollout whose only running host is unknown to the engine: its run was terminated from outside. */
function lostHost(): Driver {
  const it = new Driver(inputOf(uniform(2)));
  it.step();
  it.event({ kind: 'described', hosts: [{ index: 0, status: 'gone' }] });
  expect(it.status().hosts[0]).toMatchObject({ state: 'held', code: 'run.lost' });
  return it;
}

describe('a host whose run was lost', () => {
  it('goes back by a run of its own when the rollout is aborted with rollback', () => {
    const it = lostHost();
    expect(it.verb({ verb: 'abort', rollback: true })).toBeUndefined();
    expect(it.status().phase).toBe('aborting');
    expect(it.step()).toEqual([0]);
    expect(it.state.cells[0]).toMatchObject({ run: 2, undo: true });
    it.report(0, 'rolled-back');
    expect(it.status().phase).toBe('aborted');
  });

  it('takes rollback from a person', () => {
    const it = lostHost();
    expect(it.verb({ verb: 'rollback', hosts: { names: ['hv-1'] } })).toBeUndefined();
    expect(it.step()).toContain(0);
  });

  it('is left by skip and by a plain abort, which say what may be left there', () => {
    for (const verb of [
      { verb: 'skip', hosts: { names: ['hv-1'] } },
      { verb: 'abort', rollback: false },
    ] as const) {
      const it = lostHost();
      it.verb(verb);
      const [host] = it.status().hosts;
      expect(host).toMatchObject({ state: 'skipped', code: 'run.lost' });
      expect(host?.note).toContain('changes and the lease may be left there');
      expect(it.status().budget.unavailable).toBe(1);
    }
  });
});

describe('what could not be taken back', () => {
  it('stays with the host after its end, short, and through a report that was lost', () => {
    const texts = ['lease not given up: no answer', 'x'.repeat(1_000)];
    const reported = new Driver(inputOf(uniform(1)));
    reported.step();
    reported.report(0, 'held');
    reported.report(0, 'skipped', { undoFailures: texts });
    const asked = new Driver(inputOf(uniform(1)));
    asked.step();
    const result = { state: 'skipped', evidence: {}, undoFailures: texts } as const;
    asked.event({ kind: 'described', hosts: [{ index: 0, status: 'closed', result }] });
    for (const it of [reported, asked]) {
      const note = it.status().hosts[0]?.note ?? '';
      expect(note).toMatch(/^lease not given up: no answer; x+/);
      expect(note.length).toBeLessThanOrEqual(300);
    }
  });
});
