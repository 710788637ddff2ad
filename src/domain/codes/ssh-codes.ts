import type { CodeEntries } from './code-entry.ts';

/** Reaching a host by SSH, from the worker (or from here, for plan, facts and capture). */
export const SSH_CODES = {
  'ssh.auth': {
    sentence: 'The host refused every key.',
    symptom:
      'The host answers and shows the right host key; the login fails. It is not tried again by itself.',
    causes: [
      'the public key is not in the authorized_keys of that user',
      'the inventory names another user or key file than the one that works',
      'the ssh-agent of the worker is not the one of your shell',
      'the key is a certificate, which is not supported yet',
    ],
    exits: [
      'see it by hand, on the machine of the worker: `ssh -v USER@ADDRESS true`',
      'correct user and key file in the inventory, or add the key to authorized_keys',
      'then `vfleet retry NAME HOST`',
    ],
  },
  'ssh.closed': {
    sentence: 'The host closed the connection.',
    symptom:
      'A connection was made and ended before an answer; it is tried again by itself for a while.',
    causes: [
      'sshd limits new connections: MaxStartups, or PerSourcePenalties since OpenSSH 9.8',
      'the host is going down or coming up',
      'a firewall or the jump host drops connections',
    ],
    exits: [
      'see on the host: `journalctl -u ssh -e` and `sshd -T | grep -iE "maxstartups|persource"`',
      'then `vfleet retry NAME HOST`',
    ],
  },
  'ssh.host-key-changed': {
    sentence: 'The host shows another key than known_hosts has.',
    symptom: 'Nothing was sent to the host. The sentence has the fingerprint that it showed.',
    causes: [
      'the host was reinstalled, or its keys were made anew',
      'its address now belongs to another machine',
      'somebody is in the middle',
    ],
    exits: [
      'compare with the host, at its console: `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`',
      'the same fingerprint: `ssh-keygen -R ADDRESS`, `ssh-keyscan -p PORT ADDRESS >> ~/.ssh/known_hosts`, then `vfleet retry NAME HOST`',
      'another one: do not log in; find out what answers there, and `vfleet skip NAME HOST --reason TEXT`',
    ],
  },
  'ssh.host-key-revoked': {
    sentence: 'known_hosts has revoked the key that the host shows.',
    symptom:
      'Nothing was sent to the host. The sentence has the fingerprint and the line of known_hosts.',
    causes: [
      'the host still has a key that your site gave up',
      'something else answers with a stolen key',
    ],
    exits: [
      'do not log in; find out what answers at that address, and `vfleet skip NAME HOST --reason TEXT`',
      'it is the host: give it a new key at its console (`ssh-keygen -A` after removing the old), add that to known_hosts, then `vfleet retry NAME HOST`',
    ],
  },
  'ssh.host-key-unknown': {
    sentence: 'known_hosts has no key of the host.',
    symptom: 'Nothing was sent to the host: what nobody has confirmed is not trusted.',
    causes: [
      'nobody has logged in to this host from the machine of the worker yet',
      'known_hosts has it under another name, address or port, or only a key of another type',
      'your site signs host keys (@cert-authority), which is not supported yet',
    ],
    exits: [
      'compare the fingerprint with the host, at its console: `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`',
      'add it on the machine of the worker: `ssh-keyscan -p PORT ADDRESS >> ~/.ssh/known_hosts`',
      'then `vfleet retry NAME HOST`',
    ],
  },
  'ssh.jump': {
    sentence: 'The jump host does not forward connections.',
    symptom: 'The login at the jump host works; it refuses to connect to the host.',
    causes: ['AllowTcpForwarding or PermitOpen in its sshd_config forbids it'],
    exits: [
      'see it on the jump host: `sshd -T | grep -iE "allowtcpforwarding|permitopen"`',
      'allow it there, then `vfleet retry NAME HOST`',
    ],
  },
  'ssh.key-file': {
    sentence: 'The private key on the worker cannot be used.',
    symptom: 'No connection was made.',
    causes: [
      'the file is not there on the machine of the worker, or not readable for its user',
      'the key has a passphrase, which a worker cannot type',
      'there is no key at all: no ssh-agent and no file in ~/.ssh',
    ],
    exits: [
      'see it on the machine of the worker: `ssh-keygen -yf FILE` must print a key without asking',
      'name another file in the inventory, or load the key into the ssh-agent of the worker and name none',
      'then `vfleet retry NAME HOST`',
    ],
  },
  'ssh.name-not-found': {
    sentence: 'The name of the host cannot be looked up.',
    symptom: 'No connection was made; it is not known whether the host is up.',
    causes: [
      'a typing mistake in the inventory',
      'DNS does not answer on the machine of the worker',
    ],
    exits: [
      'see it on the machine of the worker: `getent hosts ADDRESS`',
      'correct its address in the inventory and start again, or mend DNS and `vfleet retry NAME HOST`',
    ],
  },
  'ssh.protocol': {
    sentence: 'The SSH handshake or a session failed.',
    symptom: 'Something listens there, and the two sides do not come to an agreement.',
    causes: [
      'the two sides share no algorithm: a hardened or a very old sshd',
      'sessions are used up (MaxSessions), or the user may run no commands',
      'what listens on that port is not SSH',
    ],
    exits: [
      'see it by hand, on the machine of the worker: `ssh -v USER@ADDRESS true`',
      'mend sshd_config on the host (Ciphers, KexAlgorithms, MaxSessions), then `vfleet retry NAME HOST`',
    ],
  },
  'ssh.refused': {
    sentence: 'No SSH server listens there.',
    symptom: 'The machine (or a firewall) says no at once, so something at that address is up.',
    causes: [
      'the host is still booting, or sshd is stopped',
      'the port in the inventory is wrong',
      'a firewall rejects the connection',
    ],
    exits: [
      'see it on the host, at its console: `systemctl status ssh` and `ss -ltn`',
      'start sshd, or correct the port in the inventory; then `vfleet retry NAME HOST`',
    ],
  },
  'ssh.timeout': {
    sentence: 'The host did not answer in time.',
    symptom: 'No answer at all, or one that never ends. The host counts as unavailable.',
    causes: [
      'the host is down, or hangs',
      'a firewall drops the connection',
      'the host is overloaded, or a disk of it hangs',
    ],
    exits: [
      'see it by hand, on the machine of the worker: `ping ADDRESS` and `ssh -v USER@ADDRESS true`',
      'bring it up (console, BMC), then `vfleet retry NAME HOST`',
      'or go on without it: `vfleet skip NAME HOST --reason TEXT`',
    ],
  },
  'ssh.unreachable': {
    sentence: 'No route leads to the host.',
    symptom: 'The network said that the address cannot be reached. The host counts as unavailable.',
    causes: ['the host is down', 'a route, VLAN or VPN is missing where the worker runs'],
    exits: [
      'see it on the machine of the worker (or on the jump host): `ip route get ADDRESS`, `ping ADDRESS`',
      'bring it up or mend the route, then `vfleet retry NAME HOST`',
    ],
  },
} as const satisfies CodeEntries;
