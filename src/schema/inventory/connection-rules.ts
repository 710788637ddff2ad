/** The user when none is given: vfleet needs root, and who runs a worker says nothing about who may log in. */
export const USER_DEFAULT = 'root';

/** What is wrong with the name of a host, or `undefined`. Names stand in ids, file names and messages. */
export function hostNameProblem(name: string): string | undefined {
  return /^[A-Za-z0-9_:][A-Za-z0-9_.:-]{0,252}$/.test(name)
    ? undefined
    : `"${name}" is no name of a host: at most 253 letters, digits and . _ - :, the first a letter or digit`;
}

/** What is wrong with a DNS name or IP address, or `undefined`. */
export function addressProblem(address: string): string | undefined {
  return /^[A-Za-z0-9_:][A-Za-z0-9_.:%-]{0,252}$/.test(address)
    ? undefined
    : `"${address}" is no DNS name or IP address`;
}

/** What is wrong with the name of a user, or `undefined`. */
export function userProblem(user: string): string | undefined {
  return /^[A-Za-z0-9_][A-Za-z0-9_.@\\-]{0,127}\$?$/.test(user)
    ? undefined
    : `"${user}" is no name of a user`;
}

/** A port number from 1 to 65535, or `undefined`. */
export function readPort(text: string): number | undefined {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65_535 ? port : undefined;
}
