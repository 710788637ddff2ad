import { rm } from 'node:fs/promises';
import type { RolloutStatus } from '../../domain/status.ts';
import type { CommandContext } from '../context.ts';
import { createAttendant } from '../demo/attend.ts';
import { startDemoFleet, type DemoFleet } from '../demo/demo-fleet.ts';
import { DEMO_SPEC_TEXT, demoSpec } from '../demo/demo-spec.ts';
import { makeScratchFolder } from '../demo/scratch-folder.ts';
import { demoSummary } from '../demo/summary.ts';
import type { Engine } from '../engine.ts';
import { follow } from '../follow.ts';
import { createScreen, type Screen } from '../live-screen.ts';
import { startLocalEngine } from '../local-engine.ts';
import { CliError, type Outcome } from '../outcome.ts';
import { groupKinds } from '../plan/group-kinds.ts';
import { sealPlan, type PlanFile } from '../plan/plan-file.ts';
import { createPlanView } from '../plan/plan-view.ts';
import { previewRollout } from '../plan/planned-hosts.ts';
import { probeHosts } from '../plan/probe-hosts.ts';
import { renderPlan } from '../render/plan.ts';
import { startRollout } from '../start-rollout.ts';
import { withHosts } from '../with-hosts.ts';
import { rolloutInput } from './start.ts';

export interface DemoOptions {
  readonly hosts: number;
  readonly seed: number;
}

/** What a simulated host takes when nothing else is going on. */
const HOST_TIME = { ms: 2_000, from: 'that of a simulated host, which boots in a second' };

/**
 * A canary-then-fleet rollout on a simulated fleet, from nothing to its end: own engine, worker and hosts on free
 * ports, all gone afterwards. Everything but the hosts is what runs against real ones.
 */
export async function demo(context: CommandContext, options: DemoOptions): Promise<Outcome> {
  const scratch = await makeScratchFolder();
  const mine = { ...context, config: { ...context.config, stateFolder: scratch } };
  const cleanups: (() => Promise<unknown>)[] = [
    () => rm(scratch, { recursive: true, force: true }),
  ];
  let end: { readonly outcome: Outcome; readonly summary: string };
  try {
    sayHello(mine, options);
    const fleet = await startDemoFleet({ ...options, folder: scratch });
    cleanups.push(() => fleet.close());
    const local = await startLocalEngine(mine, {});
    cleanups.push(() => local.stop());
    end = await Promise.race([
      rollOut(mine, local.engine, fleet),
      local.broken.then((why) => {
        throw new CliError('failed', `${why}.`, 'try again; VFLEET_LOG=info shows more', {
          code: 'up.broken',
        });
      }),
    ]);
  } finally {
    // In reverse: worker and engine before the hosts that they talk to, the folder last.
    for (const cleanup of cleanups.reverse()) await cleanup();
  }
  context.print(end.summary);
  return end.outcome;
}

function sayHello(context: CommandContext, options: DemoOptions): void {
  const { style } = context;
  context.print(
    `${style.strong('vfleet demo')}: a rollout on ${options.hosts} SIMULATED hosts (seed ${options.seed}).\n` +
      'Each is a model kernel and boot loader behind a real SSH server on a loopback\n' +
      'address. The engine, the worker, SSH and every step are the ones that real\n' +
      'hosts get. The spec:\n\n' +
      `${style.faint(DEMO_SPEC_TEXT.replaceAll(/^/gm, '  ').trimEnd())}\n`,
  );
}

async function rollOut(
  context: CommandContext,
  engine: Engine,
  fleet: DemoFleet,
): Promise<{ readonly outcome: Outcome; readonly summary: string }> {
  const plan = await planFleet(context, fleet);
  const view = createPlanView(plan, previewRollout(plan, HOST_TIME));
  const look = { width: context.width(), now: new Date() };
  context.print(`${renderPlan(view, context.style, look)}\n`);
  context.print(
    `${context.style.faint('$')} ${context.style.command(`vfleet start demo.yaml --plan ${plan.id} --yes`)}`,
  );
  const id = await startRollout(engine, rolloutInput(context, plan));
  const screen = createScreen(context);
  try {
    const end = await attend(context, engine, fleet, screen, id);
    return {
      outcome: end.phase === 'done' ? 'done' : 'failed',
      summary: demoSummary(end, plan, context.style),
    };
  } finally {
    screen.close();
  }
}

async function planFleet(context: CommandContext, fleet: DemoFleet): Promise<PlanFile> {
  const spec = demoSpec();
  const began = Date.now();
  const probed = await withHosts(context, (hosts) =>
    probeHosts({
      hosts,
      connections: fleet.connections,
      target: spec.target,
      parallel: 20,
      signal: context.signal,
    }),
  );
  return sealPlan({
    madeAt: new Date().toISOString(),
    probeMs: Date.now() - began,
    specFile: 'demo.yaml',
    spec,
    hosts: groupKinds(probed).hosts,
  });
}

async function attend(
  context: CommandContext,
  engine: Engine,
  fleet: DemoFleet,
  screen: Screen,
  id: string,
): Promise<RolloutStatus> {
  const { style, signal } = context;
  const attendant = createAttendant({ engine, fleet, style, say: screen.say, signal });
  return follow({
    engine,
    id,
    signal,
    onStatus: async (status) => {
      screen.show(status);
      await attendant(status);
    },
  });
}
