import { afterEach, describe } from 'vitest';
import type { ContractHost, ContractOptions, MakeContractHost } from './contract-host.ts';
import { guardContract } from './guard-contract.ts';
import { pokeContract } from './poke-contract.ts';
import { readContract } from './read-contract.ts';
import { runContract } from './run-contract.ts';
import { writeContract } from './write-contract.ts';

/** Gives each test its host and takes it away afterwards. */
export interface ContractBench {
  host(): Promise<ContractHost>;
  /** A host with a fault, or `undefined` when this implementation has none such. */
  faulty(options: ContractOptions): Promise<ContractHost | undefined>;
}

/** What every implementation of the host port does, whatever stands behind it. */
export function describePortContract(name: string, makeHost: MakeContractHost): void {
  describe(`the host port: ${name}`, () => {
    const made: ContractHost[] = [];
    afterEach(async () => {
      await Promise.all(made.splice(0).map((host) => host.dispose()));
    });
    const faulty: ContractBench['faulty'] = async (options) => {
      const host = await makeHost(options);
      if (host !== undefined) made.push(host);
      return host;
    };
    const bench: ContractBench = {
      faulty,
      host: async () => {
        const host = await faulty({});
        if (host === undefined) throw new Error('a host without faults can always be made');
        return host;
      },
    };
    readContract(bench);
    writeContract(bench);
    guardContract(bench);
    pokeContract(bench);
    runContract(bench);
  });
}
