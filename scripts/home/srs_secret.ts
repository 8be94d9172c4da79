/**
 * The secret of SRS, made at the first start that has a use for one.
 * @module
 */
import { Buffer } from "node:buffer";
import { existsSync } from "@std/fs";
import type { Home } from "../../config/home.ts";
import type { Controls } from "../../config/schema.ts";
import { replaceFile } from "./mailboxes.ts";
import { preparingIds } from "./prepare.ts";

/** Writes control/srssecret where it is absent and there is a domain for SRS. Nobody but qmailp and qmails may read it. */
export function prepareSrsSecret(home: Home, { srsdomain, mode }: Pick<Controls, "srsdomain" | "mode">): void {
  const path = home.control("srssecret");
  if (srsdomain === "" || mode === "mini" || existsSync(path)) return;
  const secret = Buffer.from(crypto.getRandomValues(new Uint8Array(24))).toString("base64url");
  const ids = preparingIds();
  const owner = ids && { uid: ids.qmailp.uid, gid: ids.qmails.gid };
  replaceFile(path, `${secret}\n`, { mode: 0o640, owner });
}
