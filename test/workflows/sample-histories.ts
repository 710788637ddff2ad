import proto from '@temporalio/proto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { WorkflowBundle } from '@temporalio/worker';
import { hostWorkflowId, rolloutWorkflowId } from '../../src/domain/ids.ts';
import { inputOf, uniform } from '../domain/rollout/fleet.ts';
import {
  ATTACH,
  BIND,
  CHANGE,
  FakeWorld,
  fails,
  held,
  MODULES,
  planOf,
  VFS,
} from './fake-hosts.ts';
import { HostDriver, hostInput, workerOf } from './host-driver.ts';
import { RolloutDriver, allActivities } from './rollout-driver.ts';

const { History } = proto.temporal.api.history.v1;
/** Shape of a history; the SDK's own type, which replaying takes. */
export type History = proto.temporal.api.history.v1.IHistory;

/** A history as the engine keeps it. */
export interface SampleHistory {
  readonly name: string;
  readonly history: History;
}

/**
 * A history as JSON with named enums, and back. The SDK's own historyToJSON needs one single copy of protobufjs,
 * which npm does not give here: an older one that gRPC wants takes its place.
 */
export function historyToJson(history: History): object {
  return History.toObject(History.fromObject(history), {
    enums: String,
    longs: String,
    bytes: String,
  });
}

/** The history that `historyToJson` wrote. */
export function historyFromJson(json: Record<string, unknown>): History {
  return History.fromObject(json);
}

/**
 * Runs one workflow of each kind to its end on a real server and brings their histories: a rollout of three hosts
 * with a pause, one of its hosts from bare to proven, one with changes of every kind, and a host that is held twice, cut off
 * and rolled back.
 */
export async function sampleHistories(
  env: TestWorkflowEnvironment,
  workflows: WorkflowBundle,
): Promise<readonly SampleHistory[]> {
  const world = new FakeWorld();
  world
    .host('held')
    .script('applyCmdline', ...Array.from({ length: 4 }, () => fails('ssh.closed', false)))
    .script('proveIommu', held('iommu.no-units'));
  const hook = { on: 'worker' as const, run: ['drain'] as const, timeoutMs: 60_000 };
  const hooks = { drain: hook, undrain: hook, health: hook };
  const worker = await workerOf(
    env,
    workflows,
    'sample',
    allActivities(env.client, 'sample', world),
  );
  return worker.runUntil(async () => {
    const rollout = await RolloutDriver.start(env, 'sample', inputOf(uniform(3), { hooks }));
    await rollout.verb({ verb: 'pause' });
    await rollout.verb({ verb: 'resume' });
    await rollout.handle.result();
    const host = await HostDriver.start(env, 'sample', hostInput('held', { hooks }));
    await host.heldAs(env);
    await host.verb('retry');
    await host.heldAs(env);
    await host.verb('rollback');
    await host.handle.result();
    const devices = planOf([CHANGE, MODULES, VFS, BIND, ATTACH]);
    world
      .host('devices')
      .always('inspect', () => ({ ...devices, readings: [{ address: VFS.pf }] }));
    const full = await HostDriver.start(env, 'sample', hostInput('devices', { hooks }));
    await full.handle.result();
    return [
      await historyOf(env, 'rollout', rolloutWorkflowId('enable-iommu#1')),
      await historyOf(env, 'host-run', hostWorkflowId('hv-1')),
      await historyOf(env, 'host-run-devices', hostWorkflowId('devices')),
      await historyOf(env, 'host-run-rolled-back', hostWorkflowId('held')),
    ];
  });
}

async function historyOf(
  env: TestWorkflowEnvironment,
  name: string,
  workflowId: string,
): Promise<SampleHistory> {
  return { name, history: await env.client.workflow.getHandle(workflowId).fetchHistory() };
}
