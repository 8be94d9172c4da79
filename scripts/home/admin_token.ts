/**
 * The token for the admin page, made at the first start that has a use for one.
 * @module
 */
import { existsSync } from "@std/fs";
import type { Home } from "../../config/home.ts";
import type { Controls } from "../../config/schema.ts";
import { tcpListeners } from "../../config/values.ts";
import { formatTokenFile, newToken } from "../../components/lib/admin_token/token_file.ts";
import { replaceFile } from "./mailboxes.ts";
import { preparingIds } from "./prepare.ts";

/**
 * Makes a token where control/admintoken is absent and the page is served; answers it, for its hash alone is kept.
 * Undefined: there is a file already, or no use for one.
 */
export function prepareAdminToken(
  home: Home,
  { listeners, mode }: Pick<Controls, "listeners" | "mode">,
): string | undefined {
  const unused = mode === "mini" || tcpListeners(listeners, "admin").length === 0;
  return unused || existsSync(home.control("admintoken")) ? undefined : renewAdminToken(home);
}

/** Puts a new token's hash into control/admintoken, for admin's account alone to read; answers the token. */
export function renewAdminToken(home: Home): string {
  const token = newToken();
  const ids = preparingIds();
  const owner = ids && { uid: ids.root.uid, gid: ids.qmailw.gid };
  replaceFile(home.control("admintoken"), formatTokenFile(token), { mode: owner === undefined ? 0o600 : 0o640, owner });
  return token;
}
