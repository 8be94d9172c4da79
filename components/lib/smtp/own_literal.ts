/**
 * This host, named by its address in MAIL or RCPT: `amy@[192.0.2.1]` is `amy@` and control/localiphost where the client has
 * come to 192.0.2.1 (RFC 1123 §5.2.17).
 *
 * Unlike qmail: only the address that the client has come to counts, not each that this machine has; so nobody has to be
 * allowed to look at its interfaces.
 * @module
 */
import type { Domain, Mailbox } from "../address/mailbox.ts";
import { clientAddress } from "../policy/networks.ts";
import type { Command } from "./command.ts";

/** Where a client is. */
export interface Here {
  /** control/localiphost. */
  readonly host: Domain;
  /** The address it has come to, in any spelling; undefined: none. */
  readonly address: () => string | undefined;
}

/** The command with this host's name in the place of its address; most come back as they are. */
export function withoutOwnLiteral(command: Command, here: Here): Command {
  if (command.verb === "RCPT") {
    const path = command.forwardPath;
    return path.kind === "mailbox" && isOwn(path.mailbox, here)
      ? { ...command, forwardPath: { kind: "mailbox", mailbox: { ...path.mailbox, domain: here.host } } }
      : command;
  }
  if (command.verb !== "MAIL") return command;
  const path = command.reversePath;
  return path.kind === "mailbox" && isOwn(path.mailbox, here)
    ? { ...command, reversePath: { kind: "mailbox", mailbox: { ...path.mailbox, domain: here.host } } }
    : command;
}

function isOwn({ domain }: Mailbox, { address }: Here): boolean {
  if (!domain.startsWith("[")) return false;
  const own = clientAddress(address());
  return own !== "unknown" && clientAddress(domain.slice(1, -1).replace(/^IPv6:/, "")) === own;
}
