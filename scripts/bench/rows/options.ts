/**
 * The command line of `bench rows`, `bench compare`, `bench idle` and `bench start`.
 * @module
 */
import { err, ok, type Result } from "../../../components/lib/result.ts";
import { readArguments } from "../arguments.ts";
import { isLoopback } from "../options.ts";
import { type MeasurementName, measurementNames } from "./measurements.ts";

/** Servers of other makes that can be started. */
export const peerNames = ["postfix", "opensmtpd", "exim"] as const;
export type StartedPeer = (typeof peerNames)[number];

/** A server that runs already, with what is known of it. */
export interface Running {
  readonly address: string;
  readonly pid: number | undefined;
  /** Of recipients whose mailboxes it has. */
  readonly recipient: string | undefined;
  readonly maildir: string | undefined;
  readonly sinkPort: number | undefined;
  /** Where its queue is. */
  readonly dir: string | undefined;
}

export interface RowsOptions {
  readonly measurements: readonly MeasurementName[];
  readonly peers: readonly StartedPeer[];
  /** Instead of a private dqmail. */
  readonly against: Running | undefined;
  readonly runs: number;
  /** Undefined: what each measurement has of its own. */
  readonly messages: number | undefined;
  readonly recipients: number | undefined;
  readonly warmup: number | undefined;
  /** Idle connections, ascending. */
  readonly connections: readonly number[];
  readonly dir: string;
  /** Where packages of other servers are unpacked that cannot be installed beside each other. */
  readonly programs: string;
  readonly limitSeconds: number;
  readonly settleSeconds: number;
  readonly syncs: boolean;
  readonly json: boolean;
  readonly html: string | undefined;
}

const known = {
  numbers: { runs: 1, messages: 1, recipients: 1, warmup: 0, limit: 1, settle: 0, pid: 1, sink: 1 },
  texts: ["rows", "peers", "connections", "dir", "programs", "against", "recipient", "maildir", "html"],
  flags: ["no-syncs", "json"],
} as const;

/** What a command of its own measures, and whom beside ours. */
export interface RowsDefaults {
  readonly measurements: readonly MeasurementName[];
  readonly peers: readonly StartedPeer[];
}

/** Reads what follows the command. The error is a sentence for the operator. */
export function parseRowsOptions(argv: readonly string[], defaults: RowsDefaults): Result<RowsOptions, string> {
  const args = readArguments(argv, known);
  if (!args.ok) return args;
  const { words, number, text, flag, has } = args.value;
  if (words.length > 0) return err(`Expected options only, got ${JSON.stringify(words[0])}`);
  const chosen = chooseFrom(measurementNames, text("rows"), defaults.measurements, "rows");
  if (!chosen.ok) return chosen;
  const peers = chooseFrom(peerNames, text("peers"), defaults.peers, "peers");
  if (!peers.ok) return peers;
  const connections = (text("connections") ?? "500,5000").split(",");
  if (connections.some((count) => !/^[1-9][0-9]{0,5}$/.test(count))) {
    return err(
      `Option --connections takes numbers with commas between them, got ${JSON.stringify(text("connections"))}`,
    );
  }
  const optional = (name: "messages" | "recipients" | "warmup" | "pid" | "sink") =>
    has(name) ? number(name, 0) : undefined;
  const [, host = "", port = ""] = /^([0-9.]+):([0-9]{1,5})$/.exec(text("against") ?? "") ?? [];
  if (text("against") !== undefined && (!isLoopback(host) || Number(port) < 1 || Number(port) > 65_535)) {
    return err(`Option --against takes an address in 127.0.0.0/8 and a port, got ${JSON.stringify(text("against"))}`);
  }
  const running = {
    pid: optional("pid"),
    sinkPort: optional("sink"),
    recipient: text("recipient"),
    maildir: text("maildir"),
  };
  const stray = Object.entries(running).find(([, value]) => value !== undefined);
  if (text("against") === undefined && stray !== undefined) {
    return err(`Option --${stray[0].replace("Port", "")} needs --against: of our own server it is known`);
  }
  if (text("html") === "") return err("Option --html takes a file");
  return ok({
    measurements: chosen.value,
    peers: peers.value,
    against: text("against") === undefined ? undefined : { address: `${host}:${port}`, ...running, dir: text("dir") },
    runs: number("runs", 3),
    messages: optional("messages"),
    recipients: optional("recipients"),
    warmup: optional("warmup"),
    connections: connections.map(Number).sort((a, b) => a - b),
    dir: text("dir") ?? "/tmp",
    programs: text("programs") ?? "/opt/dqmail-peers",
    limitSeconds: number("limit", 120),
    settleSeconds: number("settle", 8),
    syncs: !flag("no-syncs"),
    json: flag("json"),
    html: text("html"),
  });
}

/** Names with commas between them, in the order of `all`. */
function chooseFrom<N extends string>(
  all: readonly N[],
  given: string | undefined,
  absent: readonly N[],
  option: string,
): Result<readonly N[], string> {
  if (given === undefined) return ok(absent);
  const names = given.split(",").filter((name) => name !== "");
  const unknown = names.find((name) => !all.some((one) => one === name));
  if (unknown !== undefined) {
    return err(`Option --${option} takes ${all.join(", ")}, with commas between them, got ${JSON.stringify(unknown)}`);
  }
  return ok(all.filter((one) => names.includes(one)));
}
