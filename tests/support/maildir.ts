/**
 * What lies in a mailbox of a home, for tests. Messages are octet strings.
 * @module
 */
import { ifThere } from "../../components/lib/disk/if_there.ts";
import { fromOctets } from "../../components/lib/octets.ts";
import type { Home } from "../../config/home.ts";
import { waitFor } from "./wait.ts";

/** Paths of the new mail of `name@domain`, in the order of their names; none where there is no such mailbox. */
export function newMail(home: Home, mailbox = "demo@localhost"): string[] {
  const at = mailbox.lastIndexOf("@");
  const dir = home.mail(mailbox.slice(at + 1), mailbox.slice(0, at), "Maildir", "new");
  return ifThere(() => Array.from(Deno.readDirSync(dir), ({ name }) => `${dir}/${name}`).sort()) ?? [];
}

export function readMail(home: Home, mailbox = "demo@localhost"): string[] {
  return newMail(home, mailbox).map((path) => fromOctets(Deno.readFileSync(path)));
}

/** The new mail of a mailbox once there are `count`. */
export async function waitForMail(home: Home, mailbox = "demo@localhost", count = 1): Promise<string[]> {
  await waitFor(() => newMail(home, mailbox).length >= count, `${count} messages for ${mailbox}`, 20_000);
  return readMail(home, mailbox);
}

/** The first message for a mailbox that has `text` in it. */
export async function waitForMailWith(home: Home, text: string, mailbox = "demo@localhost"): Promise<string> {
  const find = () => readMail(home, mailbox).find((message) => message.includes(text));
  return await waitFor(find, `a message for ${mailbox} with ${JSON.stringify(text)}`, 20_000);
}

/** A message with every process number as 1 and every time as the first second of 1970. */
export function withoutTimes(message: string): string {
  return message
    .replaceAll(/\(qmail [0-9]+ invoked/g, "(qmail 1 invoked")
    .replaceAll(/\b[0-9]{1,2} [A-Z][a-z]{2} 20[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} /g, "1 Jan 1970 00:00:00 ");
}
