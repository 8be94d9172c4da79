/**
 * `deno task user add|passwd|del|list`: the virtual mailboxes of a home.
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { existsSync } from "@std/fs";
import { type Home, homeAt } from "../config/home.ts";
import { readControls } from "../config/read.ts";
import { parsePasswdFile, replacePassword } from "../components/lib/users/passwd_file.ts";
import { askSupervisor } from "./ask.ts";
import { fail } from "./fail.ts";
import { prepareFolders } from "./home/prepare.ts";
import { hashPassword, passwordDefect, readPassword, scramSecretOf } from "./home/password.ts";
import {
  addDomain,
  addMailboxes,
  readPasswdLines,
  splitMailbox,
  whileLocked,
  writePasswdLines,
} from "./home/mailboxes.ts";

const help = `Usage: deno task user add NAME@DOMAIN... [--password-stdin] [--home DIR]
       deno task user passwd NAME@DOMAIN [--password-stdin] [--home DIR]
       deno task user del NAME@DOMAIN... [--home DIR]      (its mail stays where it is)
       deno task user list [--home DIR] [--json]

Mail for NAME@DOMAIN and for NAME-anything@DOMAIN lands in DIR/mail/DOMAIN/NAME/Maildir. The password is asked for on a
terminal (twice, not shown), or is the first line of standard input with --password-stdin; without one nobody can log
in. A DOMAIN that is not ours yet becomes so (control/locals, control/rcpthosts).

  deno task user add amy@example.org
  echo secret | deno task user add amy@example.org --password-stdin`;

function names(home: Home): ReadonlySet<string> {
  const parsed = parsePasswdFile(readPasswdLines(home).join("\n"));
  if (!parsed.ok) fail(`${home.users("passwd")}: ${parsed.error}`);
  return new Set(parsed.value.keys());
}

function split(address: string): Address {
  const parts = splitMailbox(address);
  return typeof parts === "string" ? fail(parts) : parts;
}

/** What users/passwd keeps of a password. */
interface Kept {
  /** Its hash; "" where the password is empty: nobody can log in. */
  readonly password: string;
  readonly scram: string | undefined;
}

const nobody: Kept = { password: "", scram: undefined };

/** Of the password that is given; undefined where nobody could be asked. */
async function askPassword(fromInput: boolean): Promise<Kept | undefined> {
  const password = await readPassword(fromInput);
  if (password === undefined || password === "") return password === "" ? nobody : undefined;
  const defect = passwordDefect(password);
  if (defect !== undefined) fail(defect);
  return { password: await hashPassword(password), scram: await scramSecretOf(password) };
}

function ownName(home: Home): string {
  const controls = readControls(home, ["me"]);
  return controls.ok ? controls.value.me : fail(controls.error.join("\n"));
}

interface Address {
  readonly name: string;
  readonly domain: string;
}

function refuseKnown(home: Home, mailboxes: readonly Address[]): void {
  const known = names(home);
  const twice = mailboxes.find(({ name, domain }) => known.has(`${name}@${domain}`));
  if (twice !== undefined) fail(`${twice.name}@${twice.domain} is there already`);
}

async function add(home: Home, addresses: readonly string[], fromInput: boolean): Promise<void> {
  const me = ownName(home);
  const mailboxes = addresses.map(split);
  const named = mailboxes.map(({ name, domain }) => `${name}@${domain}`);
  const again = named.find((mailbox, at) => named.indexOf(mailbox) < at);
  refuseKnown(home, mailboxes);
  if (again !== undefined) fail(`${again} is named twice`);
  const kept = await askPassword(fromInput) ?? nobody;
  const fresh = whileLocked(home, () => {
    // While the password was typed, another may have made it.
    refuseKnown(home, mailboxes);
    const entries = addMailboxes(home, mailboxes.map((mailbox) => ({ ...mailbox, ...kept })));
    const note = kept.password === "" ? " (no password: nobody can log in)" : "";
    for (const entry of entries) {
      console.log(`${entry.name}@${entry.domain} is a mailbox: ${entry.home}/Maildir${note}`);
    }
    return [...new Set(mailboxes.map(({ domain }) => domain))].filter((domain) => addDomain(home, me, domain));
  });
  if (fresh.length > 0) await announce(home, fresh);
}

/** Has a running system know its new domains. */
async function announce(home: Home, fresh: readonly string[]): Promise<void> {
  const defects = await askSupervisor(home, { op: "reload" }).then(
    (reply) => reply["defects"] as readonly string[],
    () => undefined,
  );
  const inForce = defects?.length === 0 ? "" : ": in force from the next start or reload";
  console.log(`${fresh.join(", ")} is a local domain now (control/locals, control/rcpthosts)${inForce}`);
  if (defects !== undefined && defects.length > 0) fail(`not reloaded, for there are defects:\n${defects.join("\n")}`);
}

function entryLine(home: Home, address: string): { lines: string[]; at: number } {
  const { name, domain } = split(address);
  const lines = readPasswdLines(home);
  const at = lines.findIndex((line) => line.toLowerCase().startsWith(`${name}@${domain}:`));
  return at < 0 ? fail(`there is no ${name}@${domain} in ${home.users("passwd")}`) : { lines, at };
}

async function passwd(home: Home, address: string, fromInput: boolean): Promise<void> {
  entryLine(home, address);
  // Nobody is locked out because a script forgot where the password comes from.
  const kept = await askPassword(fromInput) ?? fail("standard input is no terminal: use --password-stdin");
  const mailbox = whileLocked(home, () => {
    const { lines, at } = entryLine(home, address);
    lines[at] = replacePassword(lines[at]!, kept.password, kept.scram);
    writePasswdLines(home, lines);
    return lines[at]!.slice(0, lines[at]!.indexOf(":"));
  });
  console.log(kept.password === "" ? `nobody can log in as ${mailbox} now` : `password of ${mailbox} changed`);
}

function remove(home: Home, addresses: readonly string[]): void {
  whileLocked(home, () => {
    for (const address of addresses) {
      const { lines, at } = entryLine(home, address);
      writePasswdLines(home, lines.filter((_, index) => index !== at));
      console.log(`${address} is no mailbox any more; its mail was left where it is`);
    }
  });
}

function list(home: Home, json: boolean): void {
  const parsed = parsePasswdFile(readPasswdLines(home).join("\n"));
  if (!parsed.ok) fail(`${home.users("passwd")}: ${parsed.error}`);
  const rows = [...parsed.value.values()].map((entry) => ({
    mailbox: `${entry.name}@${entry.domain}`,
    maildir: `${entry.home === "" ? home.mail(entry.domain, entry.name) : entry.home}/Maildir`,
    canLogIn: entry.password !== "",
  }));
  console.log(
    json ? JSON.stringify(rows, undefined, 2) : rows.map((row) => `${row.mailbox}  ${row.maildir}`).join("\n"),
  );
}

async function main(): Promise<void> {
  const args = parseArgs(Deno.args, { string: ["home"], boolean: ["password-stdin", "json", "help"] });
  const [command, ...addresses] = args._;
  if (args["help"] === true || command === undefined) return console.log(help);
  const home = homeAt(String(args["home"] ?? "var"));
  if (!existsSync(home.control("me"))) {
    fail(`there is no dqmail home in ${home.dir}; "deno task start --home ${home.dir}" makes one`);
  }
  if (!existsSync(home.users(""))) prepareFolders(home);
  const fromInput = args["password-stdin"] === true;
  const needsAddress = () => addresses[0] ?? fail(`NAME@DOMAIN is missing\n\n${help}`);
  switch (command) {
    case "add":
      needsAddress();
      return await add(home, addresses, fromInput);
    case "passwd":
      return await passwd(home, needsAddress(), fromInput);
    case "del":
      needsAddress();
      return remove(home, addresses);
    case "list":
      return list(home, args["json"] === true);
    default:
      fail(`${command} is not known\n\n${help}`);
  }
}

if (import.meta.main) await main();
