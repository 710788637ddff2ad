/** The workflows of the bundle, by the names in messages.ts. */
export { hostRun } from './host-run.ts';
export { rollout } from './rollout.ts';
