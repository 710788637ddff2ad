import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import type { WorkflowBundle } from '@temporalio/worker';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { readFile } from 'node:fs/promises';
import { dataConverter } from '../../src/engine/data-converter.ts';
import { workflowBundle } from '../../src/engine/workflow-bundle.ts';
import type { HostRunInput } from '../../src/domain/host-run.ts';
import { hostWorkflowId } from '../../src/domain/ids.ts';
import { NOTHING_ASKED } from '../../src/domain/spec.ts';
import type { HostStatus } from '../../src/domain/status.ts';
import { HOST_WORKFLOW } from '../../workflows/messages.ts';
import type { hostRun } from '../../workflows/host-run.ts';

/** The bundle of all workflows as vfleet's own workers have it; as text, since its file goes when a source is edited. */
export async function bundle(): Promise<WorkflowBundle> {
  const made = await workflowBundle();
  return 'codePath' in made ? { code: await readFile(made.codePath, 'utf8') } : made;
}

/** A worker over some activities, on a queue of its own. */
export function workerOf(
  env: TestWorkflowEnvironment,
  workflows: WorkflowBundle,
  taskQueue: string,
  activities: object,
): Promise<Worker> {
  return Worker.create({
    connection: env.nativeConnection,
    taskQueue,
    workflowBundle: workflows,
    activities,
    dataConverter,
  });
}

/** The input of one host's run in a rollout that need not exist. */
export function hostInput(name: string, change: Partial<HostRunInput> = {}): HostRunInput {
  return {
    rollout: 'enable-iommu#1',
    index: 0,
    run: 1,
    lease: '7d2f7a52-0000-4000-8000-000000000000.0',
    connection: { name, address: '127.0.0.1', port: 22, user: 'admin' },
    direction: 'forward',
    target: { ...NOTHING_ASKED, iommu: 'enabled' },
    hooks: {},
    reboot: { timeoutMs: 1_200_000 },
    onHostFailure: 'hold',
    who: 'ops1',
    ...change,
  };
}

/** A started host run, spoken to as the rollout would. */
export class HostDriver {
  readonly handle: WorkflowHandle<typeof hostRun>;

  constructor(handle: WorkflowHandle<typeof hostRun>) {
    this.handle = handle;
  }

  static async start(
    env: TestWorkflowEnvironment,
    taskQueue: string,
    input: HostRunInput,
  ): Promise<HostDriver> {
    return new HostDriver(
      await env.client.workflow.start<typeof hostRun>(HOST_WORKFLOW, {
        taskQueue,
        workflowId: hostWorkflowId(input.connection.name),
        args: [input],
        memo: { rollout: input.rollout, run: input.run },
      }),
    );
  }

  status(): Promise<HostStatus> {
    return this.handle.query<HostStatus>('hostStatus');
  }

  /** What a person reads when the run is held; asks again until it is. */
  async heldAs(env: TestWorkflowEnvironment): Promise<NonNullable<HostStatus['hold']>> {
    for (let asked = 0; asked < 600; asked++) {
      const { hold, state } = await this.status();
      if (hold !== undefined) return hold;
      if (state !== 'running') throw new Error(`the run ended as ${state}`);
      await env.sleep(env.supportsTimeSkipping ? 10_000 : 50);
    }
    throw new Error('the run was never held');
  }

  verb(verb: 'retry' | 'skip' | 'rollback', updateId?: string): Promise<{ next: string }> {
    return this.handle.executeUpdate<{ next: string }, [object]>('hostVerb', {
      args: [{ verb, who: 'ops1' }],
      ...(updateId === undefined ? {} : { updateId }),
    });
  }

  /** The sentence with which a verb was refused. */
  async refusal(verb: 'retry' | 'skip' | 'rollback'): Promise<string> {
    try {
      await this.verb(verb);
    } catch (error) {
      if (error instanceof WorkflowUpdateFailedError) return error.cause?.message ?? '';
      throw error;
    }
    throw new Error(`"${verb}" was not refused`);
  }
}
