/**
 * Whether an account has a `.qmail` file for an address: what decides, for extensions and for alias, if there is a mailbox.
 * @module
 */
import { isAbsence, isRefusal } from "../lib/users/home_owner.ts";
import { qmailFileNames, qmailFilePath } from "../lib/users/qmail_file_names.ts";

/** `possible`: this process may not look into the home. `unsure`: that cannot be said at the moment. */
export type Presence = "exists" | "none" | "possible" | "unsure";

type Looked = { readonly kind: "there"; readonly info: Deno.FileInfo } | { readonly kind: Exclude<Presence, "exists"> };

function look(path: string): Looked {
  try {
    return { kind: "there", info: Deno.statSync(path) };
  } catch (error) {
    return { kind: isAbsence(error) ? "none" : isRefusal(error) ? "possible" : "unsure" };
  }
}

const sticky = 0o1000;

/** Looks for the files in qmail's order. A file that is no regular file counts for none, as in qmail. */
export function findQmailFile(home: string, dash: string, extension: string): Presence {
  for (const { name } of qmailFileNames(dash, extension)) {
    const path = qmailFilePath(home, name);
    const looked = path === undefined ? { kind: "none" } as const : look(path);
    if (looked.kind === "there" && looked.info.isFile) return "exists";
    if (looked.kind !== "there" && looked.kind !== "none") return looked.kind;
  }
  const looked = look(home);
  // A user who is editing his files has marked the home: what is not there now may be in a moment.
  if (looked.kind === "there") return ((looked.info.mode ?? 0) & sticky) !== 0 ? "unsure" : "none";
  // A home that is away (a file system not mounted, say) tells nothing about what is in it.
  return looked.kind === "none" ? "unsure" : looked.kind;
}
