/**
 * Which `.qmail` files an address may be delivered by, in qmail's order: the one of its own name, then `…default` for
 * every beginning of the extension that ends in `-`, longest first, and for the empty one. The first that is a file
 * counts. Whoever delivers and whoever says whether there is a mailbox both ask here, so that they cannot disagree.
 *
 * In a file's name the extension is in lower case, and a `:` stands for each `.`, so that no address reaches another
 * folder by `..`; a `/` may lead into a folder below (`.qmail-lists/x`).
 * @module
 */
import { decodeUtf8, lowerCaseAscii } from "../address/parse_domain.ts";

export interface QmailFileName {
  /** Relative to the home, an octet string: `.qmail`, dash, and what follows. */
  readonly name: string;
  /**
   * The variable DEFAULT for whoever this file is for: the part of the extension that `default` stands for, in its own
   * case; undefined where the variable is not set.
   */
  readonly default: string | undefined;
}

/** So many beginnings are tried at most: an extension of a thousand `-` may not cost a thousand looks at the disk. */
const mostBeginnings = 100;
const lastWord = "default";

/** The extension (an octet string) as file names have it; also the middle of `.qmail…-owner`. */
export function safeExtension(extension: string): string {
  return lowerCaseAscii(extension).replaceAll(".", ":");
}

/**
 * The names to try, in order. `dash` and `extension` are those of the controlling account. Unlike qmail: of an extension
 * with more than a hundred `-`, the beginnings before the hundred longest are left out, except for the empty one.
 *
 * @example
 * ```ts
 * import { qmailFileNames } from "./qmail_file_names.ts";
 * qmailFileNames("-", "A.b-C");
 * // [{ name: ".qmail-a:b-c", default: undefined },
 * //  { name: ".qmail-a:b-default", default: "C" },
 * //  { name: ".qmail-default", default: "A.b-C" }]
 * ```
 */
export function qmailFileNames(dash: string, extension: string): readonly QmailFileName[] {
  const safe = safeExtension(extension);
  const stem = `.qmail${dash}`;
  const own = safe.endsWith(lastWord) ? extension.slice(extension.length - lastWord.length) : undefined;
  const names: QmailFileName[] = [{ name: `${stem}${safe}`, default: own }];
  let end = safe.length;
  for (let count = 0; count < mostBeginnings; count++) {
    // The beginning that ends with this "-"; what comes after the last one belongs to no beginning.
    const dashAt = end === 0 ? -1 : safe.lastIndexOf("-", end - 1);
    if (dashAt < 0) break;
    names.push({ name: `${stem}${safe.slice(0, dashAt + 1)}${lastWord}`, default: extension.slice(dashAt + 1) });
    end = dashAt;
  }
  return [...names, { name: `${stem}${lastWord}`, default: extension }];
}

/**
 * Where such a file would be below `home`; undefined where there can be none. Unlike qmail: names that are not UTF-8
 * cannot be opened here, so there is no file of such a name.
 */
export function qmailFilePath(home: string, name: string): string | undefined {
  const text = decodeUtf8(name);
  return text === undefined || text.includes("\0") ? undefined : `${home}/${text}`;
}
