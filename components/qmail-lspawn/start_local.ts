/**
 * Starts a qmail-local through its launcher, as the user it is for.
 * @module
 */
import type { Home } from "../../config/home.ts";
import { DeliveryLink } from "../lib/delivery/link.ts";
import { describeError, logEvent } from "../lib/log/log.ts";
import type { Controlling } from "../lib/wire/getpw_protocol.ts";
import { launch } from "../lib/workers/launch.ts";
import type { Kind } from "../lib/workers/place.ts";

/** `changeUser`: root started this, so that it can become the account. The home is looked at once more by the launcher. */
export function startLocal(home: Home, changeUser: boolean, kind: Kind, account: Controlling): DeliveryLink {
  const { uid, gid } = account;
  const args = kind === "virtual" ? [] : [`--${kind}`, account.home];
  return new DeliveryLink(
    launch(home, "qmail-local", { args, ...(changeUser ? { ids: { uid, gid } } : {}) }),
    (error) => logEvent("garbage", { from: "qmail-local", reason: describeError(error) }),
  );
}
