/**
 * An archive of a folder that is the same, octet for octet, for the same files: sorted, without owners, and with one time
 * for all.
 * @module
 */
import { createHash } from "node:crypto";
import { basename, dirname, join, relative } from "@std/path";

/** 1980, before which tools find a file's time implausible. */
const plainTime = 315_532_800;

/** The time that all files of an archive get, in seconds: what SOURCE_DATE_EPOCH says, as other builders do. */
export function archiveTime(variable: string | undefined): number {
  const seconds = Number(variable || plainTime);
  if (!Number.isSafeInteger(seconds) || seconds < 0) {
    throw new Error(`SOURCE_DATE_EPOCH: expected seconds since 1970, got ${variable}`);
  }
  return seconds;
}

function* filesBelow(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    if (isDirectory) yield* filesBelow(join(folder, name));
    else yield join(folder, name);
  }
}

/** Checksums as sha256sum(1) writes and checks them, by paths below `folder`. */
export function formatChecksums(folder: string, files: readonly string[] = [...filesBelow(folder)]): string {
  const sums = files.map((file) => {
    const sum = createHash("sha256").update(Deno.readFileSync(file)).digest("hex");
    return [relative(folder, file), sum] as const;
  });
  return sums.sort(([one], [other]) => one < other ? -1 : 1).map(([path, sum]) => `${sum}  ${path}\n`).join("");
}

/** Writes `folder` with all below it into the file `archive` (tar, gzip). Throws with what tar(1) says. */
export async function makeArchive(folder: string, archive: string, seconds: number): Promise<void> {
  const { success, stderr } = await new Deno.Command("tar", {
    args: [
      ...["--create", "--format=ustar", "--sort=name", "--owner=0", "--group=0", "--numeric-owner"],
      ...[`--mtime=@${seconds}`, "--use-compress-program=gzip -9 -n", `--file=${archive}`],
      ...["-C", dirname(folder), basename(folder)],
    ],
    stdin: "null",
    env: { LC_ALL: "C" },
  }).output();
  if (!success) throw new Error(`tar failed: ${new TextDecoder().decode(stderr).trim()}`);
}
