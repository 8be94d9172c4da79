/**
 * Looks at homes of accounts.
 * @module
 */

/** Whose home that is: see HomeOwner. A folder that this process may not see is as absent as for qmail-getpw. */
export function homeOwner(home: string): number | "absent" | "unsure" {
  try {
    return Deno.statSync(home).uid ?? "unsure";
  } catch (error) {
    return isAbsence(error) || isRefusal(error) ? "absent" : "unsure";
  }
}

/** Whether a system error says that there is no such file, and never was by that name. */
export function isAbsence(error: unknown): boolean {
  const { NotFound, NotADirectory, FilesystemLoop } = Deno.errors;
  return [NotFound, NotADirectory, FilesystemLoop].some((kind) => error instanceof kind) ||
    (error as { code?: unknown } | undefined)?.code === "ENAMETOOLONG";
}

/** Whether it says that this process may not look: by the file's mode, or by its own grant. */
export function isRefusal(error: unknown): boolean {
  return error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable;
}
