import type { ModelHost } from '../../../src/simulator/model/model-host.ts';

/** The host's own reboot, until it answers again. */
export async function rebootModel(model: ModelHost): Promise<void> {
  const down = new Promise<void>((resolve) => {
    const off = model.onPower((power) => {
      if (power === 'up') return;
      off();
      resolve();
    });
  });
  model.reboot();
  await down;
  await model.whenUp();
}
