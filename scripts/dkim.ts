/**
 * `deno task dkim keygen|rotate|list`: the keys that sign, and the DNS records that go with them.
 * @module
 */
import { generateKeyPairSync } from "node:crypto";
import { parseArgs } from "@std/cli/parse-args";
import { ensureDirSync, existsSync } from "@std/fs";
import { type Home, homeAt } from "../config/home.ts";
import { readControls } from "../config/read.ts";
import { type Algorithm, utcDay } from "../components/lib/dkim/choose.ts";
import { type DkimDomains, isDnsName, type Selector, withDomain } from "../components/lib/dkim/dkim_file.ts";
import { keyRecord, parsePrivateKey, type PrivateKey, txtLine } from "../components/lib/dkim/keys.ts";
import { addDays, freshNames, type KeyState, type Phase, phaseOf } from "../components/lib/dkim/rotation.ts";
import { ifThere } from "../components/lib/disk/if_there.ts";
import { isUsed } from "../components/lib/filters/chain.ts";
import { assertNever } from "../components/lib/result.ts";
import { fail } from "./fail.ts";
import { replaceFile, whileLocked } from "./home/mailboxes.ts";
import { prepareFolders, preparingIds } from "./home/prepare.ts";
import { formatTable } from "./table.ts";

const help = `Usage: deno task dkim keygen DOMAIN [--bits 2048] [--from YYYY-MM-DD] [--home DIR]
       deno task dkim rotate DOMAIN [--bits 2048] [--days 7] [--home DIR]
       deno task dkim list [DOMAIN] [--home DIR] [--json]

keygen  makes the first keys of a domain, RSA and Ed25519, and prints their DNS records, ready to paste. With --from they
        sign from that day on (UTC), else as soon as the mail server has read its control files again.
rotate  makes the next ones, which take over in so many days: publish their records before. Keys that have not signed
        for two weeks are removed, and it says which records may go.
list    every key, what it does, and its record.

Who is signed for: control/filters ("submission: sign"). "deno task reload" makes the mail server see new keys.`;

const sealedMode = 0o600;

interface Key extends KeyState {
  readonly key: PrivateKey;
}

function readDomains(home: Home): DkimDomains {
  const controls = readControls(home, ["dkim"]);
  return controls.ok ? controls.value.dkim : fail(controls.error.join("\n"));
}

function readKey(home: Home, domain: string, selector: Selector): Key {
  const path = home.dkim(domain, `${selector.name}.pem`);
  const pem = ifThere(() => Deno.readTextFileSync(path));
  if (pem === undefined) fail(`there is no key ${path}, which control/dkim names`);
  const key = parsePrivateKey(pem);
  return key.ok ? { ...selector, algorithm: key.value.algorithm, key: key.value } : fail(`${path}: ${key.error}`);
}

function readKeys(home: Home, domain: string, domains: DkimDomains): readonly Key[] {
  return (domains.get(domain) ?? []).map((selector) => readKey(home, domain, selector));
}

function generate(algorithm: Algorithm, bits: number): string {
  const pair = algorithm === "rsa-sha256"
    ? generateKeyPairSync("rsa", { modulusLength: bits })
    : generateKeyPairSync("ed25519");
  return pair.privateKey.export({ type: "pkcs8", format: "pem" }) as string;
}

/** Makes a pair of keys that sign from the day `from` on; answers them. */
function makeKeys(home: Home, domain: string, { bits, from }: { bits: number; from: string }): readonly Key[] {
  const owner = preparingIds()?.qmaill;
  for (const folder of [home.dkim(), home.dkim(domain)]) {
    ensureDirSync(folder);
    // The folder around it is that account's, which could have put a link there for root to follow.
    if (Deno.lstatSync(folder).isSymlink) fail(`${folder} is a link; keys have their own folder`);
    Deno.chmodSync(folder, 0o700);
    if (owner !== undefined) Deno.chownSync(folder, owner.uid, owner.gid);
  }
  const taken = new Set(Array.from(Deno.readDirSync(home.dkim(domain)), ({ name }) => name.replace(/\.pem$/, "")));
  const names = freshNames(utcDay(Date.now() / 1000), taken);
  return (Object.keys(names) as Algorithm[]).map((algorithm) => {
    const name = names[algorithm];
    replaceFile(home.dkim(domain, `${name}.pem`), generate(algorithm, bits), { mode: sealedMode, owner });
    return readKey(home, domain, { name, from });
  });
}

function writeLine(home: Home, domain: string, selectors: readonly Selector[]): void {
  const path = home.control("dkim");
  const text = ifThere(() => Deno.readTextFileSync(path)) ?? "";
  replaceFile(path, withDomain(text, domain, selectors), { mode: 0o644, owner: undefined });
}

function recordOf(domain: string, { name, key }: Key): string {
  return txtLine(`${name}._domainkey.${domain}`, keyRecord(key));
}

function publish(home: Home, domain: string, keys: readonly Key[]): void {
  console.log(`\nPublish these records, in the zone of ${domain}:\n`);
  for (const key of keys) console.log(recordOf(domain, key));
  const from = keys[0]!.from;
  console.log(
    from === ""
      ? '\nThen "deno task reload": from then on they sign.'
      : `\nThey sign from ${from} on (UTC). Then "deno task reload".`,
  );
  const controls = readControls(home, ["filters"]);
  if (controls.ok && !isUsed(controls.value.filters, "sign")) {
    console.log('Nothing is signed yet: control/filters needs a line such as "submission: sign".');
  }
}

function keygen(home: Home, domain: string, bits: number, from: string): void {
  if (readDomains(home).has(domain)) {
    fail(`${domain} has keys already: "deno task dkim rotate ${domain}" makes the next`);
  }
  const keys = makeKeys(home, domain, { bits, from });
  writeLine(home, domain, keys);
  console.log(`made the keys of ${domain} in ${home.dkim(domain)}, and its line in control/dkim`);
  publish(home, domain, keys);
}

function rotate(home: Home, domain: string, bits: number, days: number): void {
  const domains = readDomains(home);
  if (!domains.has(domain)) fail(`${domain} has no keys: "deno task dkim keygen ${domain}" makes the first`);
  const today = utcDay(Date.now() / 1000);
  const old = readKeys(home, domain, domains);
  if (old.some((key) => phaseOf(key, old, today).kind === "waits")) {
    fail(`${domain} has keys that wait for their day: "deno task dkim list ${domain}" shows them`);
  }
  const done = old.filter((key) => phaseOf(key, old, today).kind === "done");
  const fresh = makeKeys(home, domain, { bits, from: addDays(today, days) });
  // Out of the line first: a line may name no key that is not there.
  writeLine(home, domain, [...old.filter((key) => !done.includes(key)), ...fresh]);
  for (const { name } of done) Deno.removeSync(home.dkim(domain, `${name}.pem`));
  console.log(`made the next keys of ${domain}`);
  publish(home, domain, fresh);
  if (done.length > 0) {
    console.log("\nThese keys are removed, and their records may go:\n");
    for (const { name } of done) console.log(`${name}._domainkey.${domain}.`);
  }
}

function describePhase(phase: Phase, from: string): string {
  switch (phase.kind) {
    case "signs":
      return "signs";
    case "waits":
      return `signs from ${from}`;
    case "signed":
      return `signed until ${phase.until}, keep its record`;
    case "done":
      return "done: its record may go";
    default:
      return assertNever(phase);
  }
}

function list(home: Home, only: string | undefined, json: boolean): void {
  const domains = readDomains(home);
  const today = utcDay(Date.now() / 1000);
  const shown = [...domains.keys()].filter((domain) => only === undefined || domain === only).flatMap((domain) => {
    const keys = readKeys(home, domain, domains);
    return keys.map((key) => ({ domain, key, phase: phaseOf(key, keys, today) }));
  });
  if (json) {
    for (const { domain, key, phase } of shown) {
      const { name: selector, algorithm, from } = key;
      const bits = key.key.bits === undefined ? {} : { bits: key.key.bits };
      console.log(
        JSON.stringify({ domain, selector, algorithm, ...bits, from, ...phase, record: recordOf(domain, key) }),
      );
    }
    return;
  }
  const rows = shown.map(({ domain, key, phase }) => [
    domain,
    key.name,
    key.algorithm + (key.key.bits === undefined ? "" : ` ${key.key.bits}`),
    describePhase(phase, key.from),
  ]);
  console.log(rows.length === 0 ? "no keys" : formatTable(rows));
  if (rows.length > 0) console.log("");
  for (const { domain, key } of shown) console.log(recordOf(domain, key));
}

function numberIn(text: string, name: string, least: number, most: number): number {
  const value = /^[0-9]{1,5}$/.test(text) ? Number(text) : NaN;
  return value >= least && value <= most ? value : fail(`--${name}: expected ${least} to ${most}, got ${text}`);
}

function main(): void {
  const args = parseArgs(Deno.args, {
    string: ["home", "bits", "from", "days"],
    boolean: ["json", "help"],
    unknown: (arg) => arg.startsWith("-") ? fail(`deno task dkim: ${arg} is not known\n\n${help}`) : true,
  });
  if (args["help"] === true) return console.log(help);
  const home = homeAt(String(args["home"] ?? "var"));
  if (!existsSync(home.control("me"))) fail(`there is no home at ${home.dir}; "deno task start" makes one`);
  const [verb, given, ...more] = args._.map(String);
  const domain = given?.toLowerCase();
  const isGood = domain === undefined ? verb === "list" : isDnsName(domain) && more.length === 0;
  if (!isGood) fail(help);
  const bits = numberIn(String(args["bits"] ?? "2048"), "bits", 1024, 4096);
  const from = String(args["from"] ?? "");
  if (from !== "" && (isNaN(Date.parse(`${from}T00:00:00Z`)) || addDays(from, 0) !== from)) {
    fail(`--from: expected a day such as 2026-07-01, got ${from}`);
  }
  if (verb !== "list") prepareFolders(home);
  switch (verb) {
    case "keygen":
      return whileLocked(home, () => keygen(home, domain!, bits, from));
    case "rotate":
      return whileLocked(
        home,
        () => rotate(home, domain!, bits, numberIn(String(args["days"] ?? "7"), "days", 0, 365)),
      );
    case "list":
      return list(home, domain, args["json"] === true);
    default:
      return fail(help);
  }
}

if (import.meta.main) main();
