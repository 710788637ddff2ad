/**
 * Names that are safe as the name of a file and as an argument. A name of digits only is a libvirt id to virsh, and one
 * with the form of a UUID is a UUID (virsh(1)).
 */
export function isPlainDomain(name: string): boolean {
  return (
    /^[A-Za-z0-9_][A-Za-z0-9_.+@-]{0,119}$/.test(name) &&
    !/^[0-9]+$/.test(name) &&
    !/^[0-9A-Fa-f]{8}-?([0-9A-Fa-f]{4}-?){3}[0-9A-Fa-f]{12}$/.test(name)
  );
}
