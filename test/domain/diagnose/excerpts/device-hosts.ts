import type { DeviceFacts } from '../../../../src/domain/device-facts.ts';
import { diagnose, type RankedFinding } from '../../../../src/domain/diagnose/diagnose.ts';
import type { Rule, Symptoms } from '../../../../src/domain/diagnose/finding.ts';
import { symptomsOf, type Excerpt } from './symptoms.ts';

/** An excerpt of a host with devices of its own, in place of those of the tests' host. */
export interface DeviceExcerpt extends Omit<Excerpt, 'devices'> {
  readonly devices?: DeviceFacts;
}

export function symptomsWith({ devices, facts, ...rest }: DeviceExcerpt): Symptoms {
  return symptomsOf({ ...rest, facts: { ...facts, ...(devices && { devices }) } });
}

/** What rules find of an excerpt, in order. */
export const foundBy = (rules: readonly Rule[], excerpt: DeviceExcerpt): readonly RankedFinding[] =>
  diagnose(symptomsWith(excerpt), rules);
