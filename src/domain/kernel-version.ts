/** Whether a kernel is at least of a version; one that does not say its version is not. */
export function kernelIsAtLeast(
  { kernelRelease }: { readonly kernelRelease: string },
  [needMajor, needMinor]: readonly [number, number],
): boolean {
  const match = /^(\d+)\.(\d+)/.exec(kernelRelease);
  const [major, minor] = [Number(match?.[1]), Number(match?.[2])];
  return major > needMajor || (major === needMajor && minor >= needMinor);
}
