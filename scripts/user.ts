/**
 * `deno task user add|passwd|del|list`: the virtual mailboxes of a home.
 * @module
 */
import { existsSync } from "@std/fs";
import { type Home, homeAt } from "../config/home.ts";
import { readControls } from "../config/read.ts";
import { parsePasswdFile, type PasswdEntry, replacePassword } from "../components/lib/users/passwd_file.ts";
import { askSupervisor } from "./ask.ts";
import { failUsage, readCommandLine } from "./cli/command_line.ts";
import { commandOf } from "./cli/commands.ts";
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

/** How a change is asked for. */
interface Asked {
  /** The password is the first line of standard input. */
  readonly fromInput: boolean;
  readonly json: boolean;
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

async function add(home: Home, addresses: readonly string[], { fromInput, json }: Asked): Promise<void> {
  const me = ownName(home);
  const mailboxes = addresses.map(split);
  const named = mailboxes.map(({ name, domain }) => `${name}@${domain}`);
  const again = named.find((mailbox, at) => named.indexOf(mailbox) < at);
  refuseKnown(home, mailboxes);
  if (again !== undefined) fail(`${again} is named twice`);
  const kept = await askPassword(fromInput) ?? nobody;
  const { entries, fresh } = whileLocked(home, () => {
    // While the password was typed, another may have made it.
    refuseKnown(home, mailboxes);
    const entries = addMailboxes(home, mailboxes.map((mailbox) => ({ ...mailbox, ...kept })));
    const domains = [...new Set(mailboxes.map(({ domain }) => domain))];
    return { entries, fresh: domains.filter((domain) => addDomain(home, me, domain)) };
  });
  const note = kept.password === "" ? " (no password: nobody can log in)" : "";
  const lines = entries.map(({ name, domain, home }) => `${name}@${domain} is a mailbox: ${home}/Maildir${note}`);
  if (!json) console.log(lines.join("\n"));
  const defects = fresh.length > 0 ? await announce(home, fresh, json) : [];
  if (json) console.log(JSON.stringify({ mailboxes: entries.map((entry) => rowOf(home, entry)), newDomains: fresh }));
  if (defects.length > 0) fail(`not reloaded, for there are defects:\n${defects.join("\n")}`);
}

/** Has a running system know its new domains; answers why it does not want to. */
async function announce(home: Home, fresh: readonly string[], json: boolean): Promise<readonly string[]> {
  const defects = await askSupervisor(home, { op: "reload" }).then(
    (reply) => reply["defects"] as readonly string[],
    () => undefined,
  );
  const inForce = defects?.length === 0 ? "" : ": in force from the next start or reload";
  if (!json) console.log(`${fresh.join(", ")} is a local domain now (control/locals, control/rcpthosts)${inForce}`);
  return defects ?? [];
}

function entryLine(home: Home, address: string): { lines: string[]; at: number } {
  const { name, domain } = split(address);
  const lines = readPasswdLines(home);
  const at = lines.findIndex((line) => line.toLowerCase().startsWith(`${name}@${domain}:`));
  return at < 0 ? fail(`there is no ${name}@${domain} in ${home.users("passwd")}`) : { lines, at };
}

async function passwd(home: Home, address: string, { fromInput, json }: Asked): Promise<void> {
  entryLine(home, address);
  // Nobody is locked out because a script forgot where the password comes from.
  const kept = await askPassword(fromInput) ?? fail("standard input is no terminal: use --password-stdin");
  const mailbox = whileLocked(home, () => {
    const { lines, at } = entryLine(home, address);
    lines[at] = replacePassword(lines[at]!, kept.password, kept.scram);
    writePasswdLines(home, lines);
    return lines[at]!.slice(0, lines[at]!.indexOf(":"));
  });
  if (json) return console.log(JSON.stringify({ mailbox, canLogIn: kept.password !== "" }));
  console.log(kept.password === "" ? `nobody can log in as ${mailbox} now` : `password of ${mailbox} changed`);
}

function remove(home: Home, addresses: readonly string[], json: boolean): void {
  whileLocked(home, () => {
    for (const address of addresses) {
      const { lines, at } = entryLine(home, address);
      writePasswdLines(home, lines.filter((_, index) => index !== at));
      if (!json) console.log(`${address} is no mailbox any more; its mail was left where it is`);
    }
  });
  if (json) console.log(JSON.stringify({ removed: addresses }));
}

/** A mailbox as programs are told of it. */
interface Row {
  readonly mailbox: string;
  readonly maildir: string;
  readonly canLogIn: boolean;
}

function rowOf(home: Home, { name, domain, home: own, password }: PasswdEntry): Row {
  const maildir = `${own === "" ? home.mail(domain, name) : own}/Maildir`;
  return { mailbox: `${name}@${domain}`, maildir, canLogIn: password !== "" };
}

function list(home: Home, json: boolean): void {
  const parsed = parsePasswdFile(readPasswdLines(home).join("\n"));
  if (!parsed.ok) fail(`${home.users("passwd")}: ${parsed.error}`);
  const rows = [...parsed.value.values()].map((entry) => rowOf(home, entry));
  console.log(
    json ? JSON.stringify(rows, undefined, 2) : rows.map((row) => `${row.mailbox}  ${row.maildir}`).join("\n"),
  );
}

/** What this task does with the words behind its name. */
export async function main(argv: readonly string[]): Promise<void> {
  const args = readCommandLine(commandOf("user"), argv);
  if (args === undefined) return;
  const [word, ...addresses] = args._;
  const home = homeAt(String(args["home"] ?? "var"));
  if (!existsSync(home.control("me"))) {
    fail(`there is no dqmail home in ${home.dir}; "dqmail start --home ${home.dir}" makes one`);
  }
  if (!existsSync(home.users(""))) prepareFolders(home);
  const asked: Asked = { fromInput: args["password-stdin"] === true, json: args["json"] === true };
  const needsAddress = () => addresses[0] ?? failUsage(commandOf("user"), `${word}: NAME@DOMAIN is missing`);
  switch (word) {
    case "add":
      needsAddress();
      return await add(home, addresses, asked);
    case "passwd":
      return await passwd(home, needsAddress(), asked);
    case "del":
      needsAddress();
      return remove(home, addresses, asked.json);
    case "list":
      return list(home, asked.json);
  }
}

if (import.meta.main) await main(Deno.args);
