/**
 * The certificate of an embedded default.
 * @module
 */
import { existsSync } from "@std/fs";
import type { Home } from "../../config/home.ts";
import { replaceFile } from "./mailboxes.ts";
import { preparingIds } from "./prepare.ts";
import { selfSignedCertificate } from "./self_signed.ts";

/** As `prepareControls` names a new home. */
const names = ["localhost"];

/**
 * Makes control/servercert.pem for a home that has no control/me yet: a home that is somebody's own, or was qmail's, is not
 * given TLS behind its operator's back. Only qmail-smtpd's group may read it, for the key is in it. To be called before
 * `prepareControls`, so that a start that is broken off in between makes it the next time.
 */
export async function prepareCertificate(home: Home): Promise<void> {
  const path = home.control("servercert.pem");
  if (existsSync(home.control("me")) || existsSync(path)) return;
  const ids = preparingIds();
  const owner = ids && { uid: ids.root.uid, gid: ids.qmaild.gid };
  replaceFile(path, await selfSignedCertificate(names, Date.now()), { mode: 0o640, owner });
}
