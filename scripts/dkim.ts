/**
 * `deno task dkim keygen|rotate|list`: the keys that sign, and the DNS records that go with them.
 * @module
 */
import { generateKeyPairSync } from "node:crypto";
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
import { inWords } from "./cli/called.ts";
import { failUsage, readCommandLine } from "./cli/command_line.ts";
import { commandOf } from "./cli/commands.ts";
import { fail } from "./fail.ts";
import { replaceFile, whileLocked } from "./home/mailboxes.ts";
import { prepareFolders, preparingIds } from "./home/prepare.ts";
import { formatTable } from "./table.ts";

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

/** The keys as programs are told of them. */
function rowsOf(domain: string, keys: readonly Key[]): readonly Readonly<Record<string, string>>[] {
  return keys.map((key) => ({
    selector: key.name,
    algorithm: key.algorithm,
    from: key.from,
    record: recordOf(domain, key),
  }));
}

function publish(home: Home, domain: string, keys: readonly Key[]): void {
  console.log(`\nPublish these records, in the zone of ${domain}:\n`);
  for (const key of keys) console.log(recordOf(domain, key));
  const from = keys[0]!.from;
  const then = from === ""
    ? 'Then "dqmail reload": from then on they sign.'
    : `They sign from ${from} on (UTC). Then "dqmail reload".`;
  console.log(`\n${inWords(then)}`);
  const controls = readControls(home, ["filters"]);
  if (controls.ok && !isUsed(controls.value.filters, "sign")) {
    console.log('Nothing is signed yet: control/filters needs a line such as "submission: sign".');
  }
}

/** How new keys are asked for. */
interface New {
  /** Of the RSA key. */
  readonly bits: number;
  readonly json: boolean;
}

function keygen(home: Home, domain: string, { bits, from, json }: New & { readonly from: string }): void {
  if (readDomains(home).has(domain)) {
    fail(`${domain} has keys already: "dqmail dkim rotate ${domain}" makes the next`);
  }
  const keys = makeKeys(home, domain, { bits, from });
  writeLine(home, domain, keys);
  if (json) return console.log(JSON.stringify({ domain, keys: rowsOf(domain, keys) }));
  console.log(`made the keys of ${domain} in ${home.dkim(domain)}, and its line in control/dkim`);
  publish(home, domain, keys);
}

function rotate(home: Home, domain: string, { bits, days, json }: New & { readonly days: number }): void {
  const domains = readDomains(home);
  if (!domains.has(domain)) fail(`${domain} has no keys: "dqmail dkim keygen ${domain}" makes the first`);
  const today = utcDay(Date.now() / 1000);
  const old = readKeys(home, domain, domains);
  if (old.some((key) => phaseOf(key, old, today).kind === "waits")) {
    fail(`${domain} has keys that wait for their day: "dqmail dkim list ${domain}" shows them`);
  }
  const done = old.filter((key) => phaseOf(key, old, today).kind === "done");
  const fresh = makeKeys(home, domain, { bits, from: addDays(today, days) });
  // Out of the line first: a line may name no key that is not there.
  writeLine(home, domain, [...old.filter((key) => !done.includes(key)), ...fresh]);
  for (const { name } of done) Deno.removeSync(home.dkim(domain, `${name}.pem`));
  if (json) {
    const removed = done.map(({ name }) => name);
    return console.log(JSON.stringify({ domain, keys: rowsOf(domain, fresh), removed }));
  }
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

/** What this task does with the words behind its name. */
// deno-lint-ignore require-await -- every task answers a promise
export async function main(argv: readonly string[]): Promise<void> {
  const args = readCommandLine(commandOf("dkim"), argv);
  if (args === undefined) return;
  const home = homeAt(String(args["home"] ?? "var"));
  if (!existsSync(home.control("me"))) fail(`there is no home at ${home.dir}; "dqmail start" makes one`);
  const [verb, given, ...more] = args._.map(String);
  const domain = given?.toLowerCase();
  const isGood = domain === undefined ? verb === "list" : isDnsName(domain) && more.length === 0;
  if (!isGood) failUsage(commandOf("dkim"), `${verb}: expected one domain (A-labels)`);
  const json = args["json"] === true;
  const bits = numberIn(String(args["bits"] ?? "2048"), "bits", 1024, 4096);
  const from = String(args["from"] ?? "");
  if (from !== "" && (isNaN(Date.parse(`${from}T00:00:00Z`)) || addDays(from, 0) !== from)) {
    fail(`--from: expected a day such as 2026-07-01, got ${from}`);
  }
  const days = numberIn(String(args["days"] ?? "7"), "days", 0, 365);
  if (verb !== "list") prepareFolders(home);
  switch (verb) {
    case "keygen":
      return whileLocked(home, () => keygen(home, domain!, { bits, from, json }));
    case "rotate":
      return whileLocked(home, () => rotate(home, domain!, { bits, days, json }));
    case "list":
      return list(home, domain, json);
  }
}

if (import.meta.main) await main(Deno.args);
