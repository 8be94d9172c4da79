/**
 * The command line of the scenarios that measure a load, read once: what it answers needs no further checks.
 * @module
 */
import { readArguments } from "./arguments.ts";
import { err, ok, type Result } from "../../components/lib/result.ts";

/** What is measured; README.md says what each ends at. */
export const scenarios = ["accept", "local", "relay", "bulk"] as const;
export type Scenario = (typeof scenarios)[number];

/** Filters (control/filters) of the private server that can be measured, one at a time. */
export const measuredFilters = ["sign", "verify"] as const;
export type MeasuredFilter = (typeof measuredFilters)[number];

/** Those that measure something else, with command lines of their own. */
export const otherScenarios = ["idle", "start", "rows", "compare", "growth", "backlog", "fairness"] as const;

/** The server that is loaded: a private one of ours, or one that runs already. */
export type Target =
  | { readonly kind: "own"; readonly dir: string }
  | { readonly kind: "against"; readonly host: string; readonly port: number; readonly pid: number | undefined };

export interface Options {
  readonly scenario: Scenario;
  readonly target: Target;
  /** What the server does to each message; undefined: it has no filter. */
  readonly filter: MeasuredFilter | undefined;
  readonly sessions: number;
  readonly messages: number;
  readonly sizeBytes: number;
  readonly recipientsPerMessage: number;
  readonly recipient: string;
  readonly users: number;
  readonly domains: number;
  readonly reuse: boolean;
  readonly pipelining: boolean;
  readonly runs: number;
  readonly warmup: number;
  readonly limitMs: number;
  /** How long to wait for a quiet machine before each run. */
  readonly settleMs: number;
  /** Pattern of the Maildirs of a server that runs already. */
  readonly maildir: string | undefined;
  /** Port of the sink; 0 takes a free one. */
  readonly sinkPort: number;
  readonly delayMs: number;
  /** bulk: the recipients are mailboxes of the server's, not of the sink's. */
  readonly toMailboxes: boolean;
  /** The folder whose file system's flushes are counted; undefined: not known. */
  readonly flushDir: string | undefined;
  /** One more run under strace, for its syncs. */
  readonly syncs: boolean;
  readonly json: boolean;
  /** Where the HTML file is to be. */
  readonly html: string | undefined;
}

const known = {
  numbers: {
    sessions: 1,
    messages: 1,
    size: 0,
    recipients: 1,
    users: 1,
    domains: 1,
    runs: 1,
    warmup: 0,
    limit: 1,
    settle: 0,
    sink: 0,
    "delay-ms": 0,
    pid: 1,
  },
  texts: ["against", "recipient", "maildir", "dir", "html"],
  flags: ["reuse", "no-pipelining", "mailboxes", "syncs", "json", ...measuredFilters],
} as const;

const patterns: Record<Scenario, string> = {
  accept: "u%u@localhost",
  local: "u%u@localhost",
  relay: "x%n@sink.example",
  bulk: "r%n@d%h.sink.example",
};

/** Sessions times size: each session has its own copy of the message in memory. */
const mostOctets = 1 << 30;

/**
 * Reads the command line (without `--help`, which `main.ts` looks for first). The error is a sentence for the operator.
 */
export function parseOptions(argv: readonly string[]): Result<Options, string> {
  const args = readArguments(argv, known);
  if (!args.ok) return args;
  const { words, number, text, flag, has } = args.value;
  const scenario = scenarios.find((name) => name === words[0]);
  if (scenario === undefined || words.length !== 1) {
    return err(`Expected one scenario of ${[...scenarios, ...otherScenarios].join(", ")}`);
  }
  const target = parseTarget(text("against"), has("pid") ? number("pid", 1) : undefined, text("dir"));
  if (!target.ok) return target;
  const filters = measuredFilters.filter((name) => flag(name));
  if (filters.length > 1) return err("Options --sign and --verify exclude each other: measure one after the other");
  const bulk = scenario === "bulk";
  const toMailboxes = flag("mailboxes");
  const recipientsPerMessage = number("recipients", bulk ? 10_000 : 1);
  const options: Options = {
    scenario,
    target: target.value,
    filter: filters[0],
    sessions: number("sessions", bulk ? 1 : 20),
    messages: number("messages", bulk ? 1 : 2000),
    sizeBytes: number("size", 10_240),
    recipientsPerMessage,
    recipient: text("recipient") ?? patterns[toMailboxes ? "local" : scenario],
    users: number("users", toMailboxes ? recipientsPerMessage : 100),
    domains: number("domains", 1),
    reuse: flag("reuse"),
    pipelining: !flag("no-pipelining"),
    runs: number("runs", 3),
    warmup: number("warmup", bulk ? 1 : 200),
    limitMs: number("limit", 60) * 1000,
    settleMs: number("settle", 8) * 1000,
    maildir: text("maildir"),
    sinkPort: number("sink", 0),
    delayMs: number("delay-ms", 0),
    toMailboxes,
    flushDir: text("dir") ?? (target.value.kind === "own" ? target.value.dir : undefined),
    syncs: flag("syncs"),
    json: flag("json"),
    html: text("html"),
  };
  const defect = defectOf(options);
  return defect === undefined ? ok(options) : err(defect);
}

function parseTarget(against: string | undefined, pid: number | undefined, dir = "/tmp"): Result<Target, string> {
  if (against === undefined) {
    return pid === undefined ? ok({ kind: "own", dir }) : err("Option --pid needs --against; our own is known");
  }
  const [, host = "", port = ""] = /^([0-9.]+):([0-9]{1,5})$/.exec(against) ?? [];
  if (!isLoopback(host) || Number(port) < 1 || Number(port) > 65_535) {
    return err(`Option --against takes an address in 127.0.0.0/8 and a port, got ${JSON.stringify(against)}`);
  }
  return ok({ kind: "against", host, port: Number(port), pid });
}

/** Whether `host` is an IPv4 address of the loopback network; no other machine may be loaded. */
export function isLoopback(host: string): boolean {
  const octet = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
  return new RegExp(`^127(\\.${octet}){3}$`).test(host);
}

/** Whether a run ends when all is in Maildirs. */
export function endsInMaildirs({ scenario, toMailboxes }: Options): boolean {
  return scenario === "local" || (scenario === "bulk" && toMailboxes);
}

/** Whether a run ends when the sink has all. */
export function endsAtSink({ scenario, toMailboxes }: Options): boolean {
  return scenario === "relay" || (scenario === "bulk" && !toMailboxes);
}

function defectOf(options: Options): string | undefined {
  const { scenario, target, filter, sinkPort } = options;
  if (sinkPort > 65_535) return `Option --sink takes a port up to 65535, got ${sinkPort}`;
  if (options.sessions * options.sizeBytes > mostOctets) return "Sessions times size may not exceed 1 GiB";
  if (filter !== undefined && scenario !== "accept") return `Option --${filter} is for accept, got ${scenario}`;
  if (filter !== undefined && target.kind === "against") {
    return `Option --${filter} measures the private server, whose keys and DNS are the benchmark's own: not with --against`;
  }
  if (options.toMailboxes && scenario !== "bulk") return `Option --mailboxes is for bulk, got ${scenario}`;
  if (options.syncs && target.kind === "against" && target.pid === undefined) return "Option --syncs needs --pid";
  if (options.html === "") return "Option --html takes a file";
  if (target.kind === "own") {
    return options.maildir === undefined ? undefined : "Option --maildir needs --against; our own are known";
  }
  if (endsInMaildirs(options) && options.maildir === undefined) {
    return `Scenario ${scenario} with --against needs --maildir: the Maildirs to watch, %d standing for the user's number`;
  }
  if (endsAtSink(options) && sinkPort === 0) {
    return `Scenario ${scenario} with --against needs --sink: the port of 127.0.0.1 that the server relays to`;
  }
  return undefined;
}
