/**
 * sendmail: what other programs run as /usr/sbin/sendmail (qmail's interface): recipients as arguments, or with `-t` also
 * in the header; the message on standard input, in which a line of one dot is a line like any other. `-bp` lists the
 * queue, `-bs` is an SMTP session on standard input and output, `-bv` says where its recipients' mail goes and `-bt` so for
 * addresses on standard input. Options that say how sendmail should go about it are taken
 * and mean nothing. Exit codes as qmail-inject's; of `-bs` 0 after QUIT, 1 for any other end of the session.
 * @module
 */
import { readControls } from "../../config/read.ts";
import { flushLog } from "../lib/log/log.ts";
import type { InjectVariable } from "../lib/message/inject/options.ts";
import { utf8Octets } from "../lib/octets.ts";
import { print } from "../lib/process/tool.ts";
import { formatQread } from "../lib/queue/format_listing.ts";
import { readListing } from "../lib/queue/listing.ts";
import { assertNever, err, ok, type Result } from "../lib/result.ts";
import { LineReader } from "../lib/smtp/line_reader.ts";
import { addressesTested, describeRoute } from "./support/address_route.ts";
import { type Caller, Ending, variable } from "./support/caller.ts";
import { readInput, writeOctets } from "./support/input.ts";
import { serveLocalClient } from "./support/local_smtp.ts";
import { callersQueue } from "./support/queue_mail.ts";
import { inject } from "./qmail-inject.ts";
import { qread } from "./qmail-qread.ts";
import { runProgram } from "./support/run_program.ts";

/** What a call asks for. */
export type SendmailCall =
  | {
    readonly kind: "inject";
    readonly args: readonly string[];
    readonly variables: ReadonlyMap<InjectVariable, string | undefined>;
  }
  | { readonly kind: "list" }
  | { readonly kind: "session" }
  /** To say where mail goes; "input": for the addresses that are read there. */
  | { readonly kind: "route"; readonly addresses: readonly string[] | "input" }
  /** Nothing is to be done: the queue runs by itself. */
  | { readonly kind: "nothing" };

/** Options with an argument, in the same word or the next one, that mean nothing here. */
const ignoredWithArgument = "BCDhLNOopRVX";
/** Options whose argument, if any, is the rest of the word. */
const ignoredWithRest = "AdeMQ";
const ignored = "EGiJmnsUvx";

/** Options of sendmail's command line; the words behind the options are recipients. Error: text for the caller. */
export function parseSendmailArguments(words: readonly string[]): Result<SendmailCall, string> {
  const variables = new Map<InjectVariable, string | undefined>();
  let fromHeader = false;
  let sender: string | undefined;
  let name: string | undefined;
  let mode = "m";
  let runsQueue = false;
  let index = 0;
  for (; index < words.length && /^-./s.test(words[index]!); index++) {
    const word = words[index]!;
    if (word === "--") {
      index++;
      break;
    }
    for (let letter = 1; letter < word.length; letter++) {
      const option = word[letter]!;
      const rest = word.slice(letter + 1);
      if (option === "t") fromHeader = true;
      else if (option === "q") {
        runsQueue = true;
        break;
      } else if (ignoredWithRest.includes(option)) break;
      else if ("fFrb".includes(option) || ignoredWithArgument.includes(option)) {
        const value = rest === "" ? words[++index] : rest;
        if (value === undefined) return err(`option requires an argument -- ${option}`);
        if (option === "f" || option === "r") sender = value;
        else if (option === "F") name = value;
        else if (option === "b") mode = value;
        break;
      } else if (!ignored.includes(option)) return err(`illegal option -- ${option}`);
    }
  }
  const recipients = words.slice(index);
  switch (mode) {
    case "m":
      break;
    case "p":
      return ok({ kind: "list" });
    case "s":
      return ok({ kind: "session" });
    case "t":
      return ok({ kind: "route", addresses: "input" });
    case "v":
      return ok({ kind: "route", addresses: recipients });
    case "i":
      return err("-bi is not supported: newaliases makes the table of aliases");
    default:
      return err(`-b${mode} is not supported`);
  }
  if (runsQueue && recipients.length === 0 && !fromHeader) return ok({ kind: "nothing" });
  if (sender !== undefined) nameSender(variables, sender);
  if (name !== undefined) variables.set("QMAILNAME", name);
  const options = [fromHeader ? "-H" : "-a", ...(sender === undefined ? [] : ["-f", sender]), "--"];
  return ok({ kind: "inject", args: [...options, ...recipients], variables });
}

/** A From field that is generated follows `-f`. */
function nameSender(variables: Map<InjectVariable, string | undefined>, sender: string): void {
  for (const name of ["QMAILNAME", "MAILNAME", "NAME", "MAILHOST"] as const) variables.set(name, undefined);
  const address = /^<(.*)>$/s.exec(sender)?.[1] ?? sender;
  const separator = address.lastIndexOf("@");
  variables.set("QMAILHOST", separator < 0 ? undefined : address.slice(separator + 1));
  // The null reverse-path is nobody's name: From stays the caller's.
  if (address !== "") variables.set("QMAILUSER", separator < 0 ? address : address.slice(0, separator));
}

/** qmail's limit where control/timeoutsmtpd says nothing. */
const idleMs = 1_200_000;

/** What a program that QMAILQUEUE names is told of the connection, as by qmail's. */
const localConnection = new Map([
  ["PROTO", "TCP"],
  ["RELAYCLIENT", ""],
  ["DATABYTES", "0"],
  ...["TCPLOCALIP", "TCPREMOTEIP"].map((name) => [name, "127.0.0.1"] as const),
  ...["TCPLOCALHOST", "TCPREMOTEHOST"].map((name) => [name, "localhost"] as const),
  ["TCPREMOTEINFO", "sendmail-bs"],
]);

/** The caller, connected to itself. */
function asLocalClient(caller: Caller): Caller {
  const others = caller.environment.filter((entry) => !localConnection.has(entry.split("=", 1)[0]!));
  return { ...caller, environment: [...others, ...Array.from(localConnection, ([name, value]) => `${name}=${value}`)] };
}

/**
 * `-bs`. Unlike qmail: for a connection from elsewhere, which PROTO tells of, this is no server; qmail-smtpd listens itself.
 */
async function serve(caller: Caller): Promise<number> {
  if (variable(caller, "PROTO") !== undefined) {
    throw new Ending(100, "-bs serves no connection from elsewhere: PROTO is set");
  }
  const controls = readControls(caller.home, ["me"]);
  if (!controls.ok) throw new Ending(111, utf8Octets(controls.error.join("; ")));
  using queue = callersQueue(asLocalClient(caller));
  const input = readInput();
  const read = async () => (await input.next()).value ?? undefined;
  const write = (replies: string) => writeOctets(Deno.stdout, replies);
  const end = await serveLocalClient({ read, write }, {
    ...{ me: controls.value.me, now: Date.now, idleMs },
    begin: () => queue.begin(),
  });
  return end === "quit" ? 0 : 1;
}

const lineEnd = new Uint8Array([0x0a]);

/** `-bt` and `-bv`. */
async function printRoutes(caller: Caller, addresses: readonly string[] | "input"): Promise<void> {
  const controls = readControls(caller.home, ["envnoathost", "locals", "percenthack", "virtualdomains"]);
  if (!controls.ok) throw new Ending(111, utf8Octets(controls.error.join("; ")));
  const print = async (some: readonly string[]) => {
    for (const address of some) await writeOctets(Deno.stdout, `${describeRoute(address, controls.value)}\n`);
  };
  if (addresses !== "input") return await print(addresses);
  const lines = new LineReader();
  const printLines = async () => {
    for (let line = lines.takeLine(); line !== undefined; line = lines.takeLine()) {
      if (line.kind === "line") await print(addressesTested(line.text));
    }
  };
  for await (const piece of readInput()) {
    lines.push(piece);
    await printLines();
  }
  lines.push(lineEnd);
  await printLines();
}

async function sendmail(caller: Caller): Promise<number> {
  const call = parseSendmailArguments(caller.args);
  if (!call.ok) throw new Ending(100, call.error);
  const { value } = call;
  switch (value.kind) {
    case "inject":
      return await inject(caller, { ...value, input: readInput() });
    case "list":
      await print(qread(readListing(caller.home), formatQread));
      flushLog();
      return 0;
    case "session":
      return await serve(caller);
    case "route":
      await printRoutes(caller, value.addresses);
      return 0;
    case "nothing":
      return 0;
    default:
      return assertNever(value);
  }
}

if (import.meta.main) await runProgram("sendmail", sendmail);
