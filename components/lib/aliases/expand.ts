/**
 * What fastforward does with one message: the table's instruction for its recipient, followed until only programs and
 * addresses that are no targets are left (its interface). No target is followed twice, so lists may name each other.
 * @module
 */

/** Looks up a target in lower case. */
export interface Targets {
  commands(target: string): readonly string[] | undefined;
  owner(target: string): string | undefined;
}

export interface Expansion {
  readonly sender: string;
  /** `|command` or `!command`, in their order. */
  readonly programs: readonly string[];
  readonly recipients: readonly string[];
}

export interface Incoming {
  readonly recipient: string;
  readonly sender: string;
  /** For owners without one. */
  readonly host: string;
}

const lowerCase = (text: string) => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
/** An address of so many octets is none: nobody could answer it. */
const longestAddress = 900;

/** `undefined` where the table has nothing for the recipient. `readList` answers a list's commands. */
export async function expand(
  { recipient, sender, host }: Incoming,
  table: Targets,
  readList: (path: string) => Promise<readonly string[]>,
): Promise<Expansion | undefined> {
  const target = targetsOf(recipient).find((target) => table.commands(target) !== undefined);
  if (target === undefined) return undefined;
  const programs: string[] = [];
  const recipients: string[] = [];
  const done = new Set([recipient]);
  const todo = [...table.commands(target)!];
  for (let command = todo.shift(); command !== undefined; command = todo.shift()) {
    if (/^[|!]/.test(command)) programs.push(command);
    else if (done.has(command)) continue;
    else if (/^[./]/.test(command)) todo.unshift(...await readList(command));
    else if (command.startsWith("&") && command.length <= longestAddress) {
      const address = command.slice(1);
      const commands = table.owner(lowerCase(address)) === undefined ? table.commands(lowerCase(address)) : undefined;
      // A list with an owner is forwarded to, so that its mail has that owner as sender.
      if (commands !== undefined) todo.unshift(...commands);
      else if (address !== "" && address !== "@") recipients.push(address.replace(/@$/, ""));
    }
    done.add(command);
  }
  return { sender: senderOf(sender, owner(recipient, table), host), programs, recipients };
}

/** `user@host`, `@host`, `user@`. */
function targetsOf(recipient: string): string[] {
  const address = lowerCase(recipient);
  const at = address.lastIndexOf("@");
  return at < 0 ? [address] : [address, address.slice(at), address.slice(0, at + 1)];
}

function owner(recipient: string, table: Targets): string | undefined {
  return targetsOf(recipient).map((target) => table.owner(target)).find((owner) => owner !== undefined);
}

/** Bounces keep their sender: an owner gets those of mail, not those of bounces. */
function senderOf(sender: string, owner: string | undefined, host: string): string {
  if (sender === "" || sender === "#@[]" || owner === undefined) return sender;
  return owner.endsWith("@") ? `${owner}${host}` : owner;
}

/** The commands in a list kept elsewhere: NUL ends each of those made for fastforward; a text has addresses a line. */
export function isTextList(octets: string): boolean {
  return !octets.includes("\0");
}
