/**
 * The envelope sender of a forwarded message (qmail's interface, dot-qmail "owners").
 * @module
 */
import { splitRecipient } from "./environment.ts";

/** Which of `.qmail…-owner` and `.qmail…-owner-default` are there. */
export interface Owners {
  readonly owner: boolean;
  readonly ownerDefault: boolean;
}

/**
 * Bounces of a forwarded message go to its sender, or to the list's owner where there is one; with an `-owner-default`
 * the sender becomes a request for one sender a recipient (VERP), which qmail-send carries out.
 */
export function newSender(sender: string, recipient: string, owners: Owners): string {
  // A bounce stays one, or it could go round for ever.
  if (sender === "" || sender === "#@[]" || !owners.owner) return sender;
  const { local, host } = splitRecipient(recipient);
  return owners.ownerDefault ? `${local}-owner-@${host}-@[]` : `${local}-owner@${host}`;
}
