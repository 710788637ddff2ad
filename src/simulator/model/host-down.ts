/** The host went away while a command was under way on it. */
export class HostDown extends Error {
  override readonly name = 'HostDown';
}
