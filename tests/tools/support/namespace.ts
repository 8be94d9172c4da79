/**
 * A mount namespace of a test's own: there a file of the test's can lie where a program looks for one of the system's.
 * @module
 */

/** Puts `source` in `target`'s place for a shell's line, and for nobody else. Root alone may. */
export function withBound(source: string, target: string, line: string): string {
  return `unshare --mount sh -c 'mount --bind "$1" "$2" && shift 2 && eval "$1"' sh '${source}' '${target}' '${
    line.replaceAll("'", `'\\''`)
  }'`;
}

/** What is missing for {@link withBound}, or for `programs`, for the name of a test that is skipped; "" for nothing. */
export function namespaceMissing(...programs: readonly string[]): string {
  if (Deno.uid() !== 0) return "not root";
  for (const program of programs) {
    const { success } = new Deno.Command("/bin/sh", { args: ["-c", 'command -v "$1"', "sh", program] }).outputSync();
    if (!success) return `${program} is not installed`;
  }
  try {
    const args = ["--mount", "sh", "-c", "mount --bind /tmp /mnt"];
    return new Deno.Command("unshare", { args, stderr: "null" }).outputSync().success ? "" : "no mount namespaces here";
  } catch {
    return "unshare is not installed";
  }
}
