/**
 * `deno task explain --from A --to B --ip I [--helo H] [--entrance smtp] [--login L] [--home DIR] [--json]`: what the server
 * would say to that client, and by which rule. Nothing is sent, counted or kept. Exit codes: 0 accepted, 1 refused, 111 it
 * cannot be said.
 * @module
 */
import { homeAt } from "../config/home.ts";
import { readControlsOf } from "../config/read.ts";
import { isAddress } from "../config/values.ts";
import { parseForwardPath, parseReversePath } from "../components/lib/address/parse_path.ts";
import { utf8Octets } from "../components/lib/octets.ts";
import { entrances } from "../components/lib/policy/decision.ts";
import { readCommandLine } from "./cli/command_line.ts";
import { commandOf } from "./cli/commands.ts";
import { explain, type Explanation, type Question } from "./explain/explain.ts";
import { explainOracles } from "./explain/oracles.ts";
import { fail } from "./fail.ts";
import { formatTable } from "./table.ts";

const codes: Readonly<Record<Explanation["answer"]["kind"], number>> = { accept: 0, refuse: 1, unsure: 111 };

/** Text of clients and control files as a terminal may have it. */
function harmless(text: string): string {
  return text.replace(/[^ -~]/g, "?");
}

function questionOf(args: Readonly<Record<string, unknown>>): Question {
  const given = (name: string): string => {
    const value = args[name];
    return typeof value === "string" ? utf8Octets(value) : fail(`--${name} is missing; --help says more`);
  };
  const from = parseReversePath(`<${given("from").replace(/^<>$/, "")}>`, { smtputf8: true });
  if (!from.ok || from.value.parameters !== "") fail(`--from: no address: ${harmless(given("from"))}`);
  const to = parseForwardPath(`<${given("to")}>`, { smtputf8: true });
  if (!to.ok || to.value.parameters !== "") fail(`--to: no address: ${harmless(given("to"))}`);
  const ip = given("ip");
  if (!isAddress(ip)) fail(`--ip: no address: ${harmless(ip)}`);
  const entrance = entrances.find((name) => name === (args["entrance"] ?? "smtp"));
  if (entrance === undefined) fail(`--entrance: expected one of ${entrances.join(", ")}`);
  return {
    from: from.value.path,
    to: to.value.path,
    ip,
    helo: args["helo"] === undefined ? "client.example" : given("helo"),
    entrance,
    login: args["login"] === undefined ? undefined : given("login"),
  };
}

function* describe({ client, rules, idle, unasked, answer }: Explanation): Generator<string, void, undefined> {
  yield `client ${client.ip}, ${client.relaying ? "may relay" : "may not relay"}`;
  for (const variable of client.environment) yield `  tcp.smtp sets ${variable}`;
  yield "";
  const rows = rules.map(({ stage, rule, said, text }) => [stage, rule, `${said}: ${text}`]);
  const lines = formatTable(rows).split("\n");
  for (const [at, { asked }] of rules.entries()) {
    yield lines[at]!;
    for (const line of asked) yield `         asked for ${line}`;
  }
  yield "";
  if (idle.length > 0) yield `Not in use: ${idle.map(({ rule, why }) => `${rule} (${why})`).join(", ")}`;
  for (const line of unasked) yield `Could not be asked: ${line}`;
  if (idle.length + unasked.length > 0) yield "";
  yield answerText(answer);
}

function answerText({ kind, stage, reply, rule, drops, delayMs }: Explanation["answer"]): string {
  const words = reply === "" ? "no word" : reply;
  const more = [...delayMs === undefined ? [] : [`after ${delayMs / 1000} s`], ...drops === true ? ["and closed"] : []];
  const outcome = rule === undefined
    ? `Accepted: ${words}`
    : `Refused at ${stage} by ${rule}: ${[words, ...more].join(", ")}`;
  return kind === "unsure" ? `${outcome} (unless those who could not be asked say otherwise)` : outcome;
}

/** What this task does with the words behind its name. */
export async function main(argv: readonly string[]): Promise<void> {
  const args = readCommandLine(commandOf("explain"), argv);
  if (args === undefined) return;
  const question = questionOf(args);
  const home = homeAt(String(args["home"] ?? "var"));
  const controls = readControlsOf(home, "qmail-smtpd");
  if (!controls.ok) {
    console.error(controls.error.map(harmless).join("\n"));
    Deno.exit(111);
  }
  using asking = await explainOracles(home);
  const explanation = await explain(controls.value, question, asking);
  if (args["json"] === true) console.log(JSON.stringify(explanation, undefined, 2));
  else for (const line of describe(explanation)) console.log(harmless(line));
  asking[Symbol.dispose]();
  Deno.exit(codes[explanation.answer.kind]);
}

if (import.meta.main) await main(Deno.args);
