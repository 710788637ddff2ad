import { describe, expect, it } from 'vitest';
import { Driver } from './driver.ts';
import { inputOf, uniform } from './fleet.ts';

/** A rollout over one host, whose run is being started. */
function starting(): Driver {
  const driver = new Driver(inputOf(uniform(1)));
  expect(driver.step()).toEqual([0]);
  return driver;
}

describe('a host whose run could not be started', () => {
  it('is held, with what the engine said, and nothing was written there', () => {
    const driver = starting();
    const detail = 'the engine did not answer';
    driver.event({ kind: 'start-answered', outcomes: [{ index: 0, outcome: 'failed', detail }] });
    expect(driver.status().hosts[0]).toMatchObject({
      state: 'held',
      code: 'run.start-failed',
      note: detail,
    });
  });

  it('is held as busy, naming the holder, when another rollout has its run', () => {
    const driver = starting();
    const detail = 'sriov#2 holds it, started by eve';
    driver.event({ kind: 'start-answered', outcomes: [{ index: 0, outcome: 'busy', detail }] });
    expect(driver.status().hosts[0]).toMatchObject({ code: 'host.busy', note: detail });
  });
});
