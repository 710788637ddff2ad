import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import { DEADLINES } from '../../src/cli/engine.ts';
import { explainError } from '../../src/cli/explain-error.ts';
import { readStatus } from '../../src/cli/rollouts.ts';
import { sendVerb } from '../../src/cli/send-verb.ts';
import { readStartInput, startRollout } from '../../src/cli/start-rollout.ts';
import type { RolloutInput, RolloutVerb } from '../../src/domain/status.ts';
import { EngineTimeout } from '../../src/engine/connect.ts';
import { HostError } from '../../src/host/errors.ts';
import { inputOf, uniform } from '../domain/rollout/fleet.ts';
import { fakeEngine, type FakeAnswers } from './fake-engine.ts';

const ID = 'enable-iommu#1';
const notFound = (): Promise<never> =>
  Promise.reject(new WorkflowNotFoundError('not found', 'x', undefined));
/** A workflow that the engine describes so. */
const described = (name: string, more: Readonly<Record<string, unknown>> = {}) => ({
  getHandle: () => ({
    describe: () =>
      Promise.resolve({ status: { name }, taskQueue: 'vfleet', workflowId: ID, ...more }),
    ...more,
  }),
});

describe('a verb that the engine does not take', () => {
  const pause: RolloutVerb = { verb: 'pause', id: '7f3a91', who: 'ops1' };
  const send = (error: Error, within?: FakeAnswers['within']) =>
    sendVerb(
      fakeEngine({
        workflow: described('RUNNING', { executeUpdate: () => Promise.reject(error) }),
        ...(within === undefined ? {} : { within }),
      }),
      ID,
      pause,
    );

  it('is refused with the reason of the workflow', async () => {
    const refused = new WorkflowUpdateFailedError('failed', new Error('It is paused already.'));
    await expect(send(refused)).rejects.toMatchObject({
      outcome: 'refused',
      code: 'verb.refused',
      message: `${ID} refused pause: It is paused already.`,
    });
  });

  it('is refused when the rollout ended in between', async () => {
    const gone = new WorkflowNotFoundError('gone', ID, undefined);
    await expect(send(gone)).rejects.toMatchObject({ outcome: 'refused', code: 'rollout.ended' });
  });

  it('is not confirmed when no answer came, and can be repeated under its id', async () => {
    const sent = send(new Error('never seen'), (ms, calls) =>
      ms === DEADLINES.verbMs ? Promise.reject(new EngineTimeout('No answer.')) : calls(),
    );
    await expect(sent).rejects.toMatchObject({
      outcome: 'no-engine',
      code: 'verb.not-confirmed',
      next: expect.stringContaining('--id 7f3a91') as string,
    });
  });
});

describe('a rollout that the engine cannot tell of', () => {
  it('was ended from outside vfleet: it has no result', async () => {
    const closeTime = new Date('2026-11-22T02:00:00Z');
    const engine = fakeEngine({ workflow: described('TERMINATED', { closeTime }) });
    await expect(readStatus(engine, ID)).rejects.toMatchObject({
      outcome: 'failed',
      code: 'rollout.ended-outside',
      message: expect.stringContaining('terminated at 2026-11-22T02:00:00.000Z') as string,
    });
  });

  it('has lost its history: a rollback does not know what it was started with', async () => {
    const engine = fakeEngine({
      service: { getWorkflowExecutionHistory: () => Promise.resolve({ history: { events: [] } }) },
    });
    await expect(readStartInput(engine, ID)).rejects.toMatchObject({ code: 'rollout.unreadable' });
  });
});

describe('a start beside others', () => {
  const clash = new WorkflowExecutionAlreadyStartedError('clash', 'x', 'rollout');
  const input: Omit<RolloutInput, 'id'> = inputOf(uniform(1));
  const startBeside = (status: string) => {
    let known = false;
    return startRollout(
      fakeEngine({
        workflow: {
          start: () => {
            known = true;
            return Promise.reject(clash);
          },
          getHandle: () => ({
            describe: () => (known ? Promise.resolve({ status: { name: status } }) : notFound()),
          }),
        },
      }),
      input,
    );
  };

  it('is refused when somebody was faster and their rollout runs', async () => {
    await expect(startBeside('RUNNING')).rejects.toMatchObject({
      outcome: 'refused',
      code: 'rollout.under-way',
    });
  });

  it('gives up when each number that it tries is taken at once', async () => {
    await expect(startBeside('COMPLETED')).rejects.toMatchObject({
      outcome: 'failed',
      code: 'start.no-number',
    });
  });
});

describe('an error that is not of the command itself', () => {
  const coded = (code: string, syscall = 'open'): Error =>
    Object.assign(new Error(`${code}: /var/state/vfleet`), { code, syscall });

  it.each([
    [new EngineTimeout('No answer.'), { outcome: 'no-engine', code: 'engine.silent' }],
    [new HostError('ssh.auth', 'hv1', 'it refused'), { outcome: 'failed', code: 'ssh.auth' }],
    [coded('EROFS'), { outcome: 'failed', code: 'vfleet.unwritable' }],
    [coded('EACCES', 'mkdir'), { outcome: 'failed', code: 'vfleet.unwritable' }],
    [new DOMException('stopped', 'AbortError'), { outcome: 'failed', code: 'vfleet.stopped' }],
    [new TypeError('x is not a function'), { outcome: 'failed', code: 'vfleet.bug' }],
    [coded('ENOENT'), { outcome: 'usage', code: undefined }],
  ])('%s ends with %j', (error, told) => {
    expect(explainError(error)).toMatchObject(told);
  });
});
