import { describePortContract } from './contract/port-contract.ts';
import { describeOnOpenSsh } from './support/openssh-bench.ts';

describeOnOpenSsh('a real OpenSSH server', ({ make }) => {
  describePortContract('OpenSSH', ({ fault }) => make(fault));
});
